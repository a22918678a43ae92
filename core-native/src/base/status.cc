#include "base/status.h"

#include <cstring>

namespace thornback {

Status Status::io(const std::string& what, int error_number) {
  const tbk_status_t code =
      error_number == ENOMEM || error_number == EMFILE || error_number == ENFILE ? TBK_NO_MEMORY
                                                                                 : TBK_IO;
  return {code, what + ": " + std::strerror(error_number)};
}

}  // namespace thornback
