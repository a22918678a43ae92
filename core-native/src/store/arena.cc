#include "store/arena_impl.h"

namespace thornback::store {

template class BasicArena<OwnerDirectory<std::atomic>>;

}  // namespace thornback::store
