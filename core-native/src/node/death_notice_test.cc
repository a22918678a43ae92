// How fast a death is noticed when freeing the dead process's memory takes long.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <vector>

#include "node/testing/helper_process.h"
#include "node/testing/node_fixture.h"

namespace thornback::node {
namespace {

using testing::HelperProcess;
using testing::NodeTest;

class DeathNoticeTest : public NodeTest {
 protected:
  struct Times {
    uint64_t notice_ns;   // until a peer's sink was told
    uint64_t process_ns;  // until the process descriptor became readable
  };

  Times kill_one(int megabytes, int signal) {
    HelperProcess process(socket_path());
    const uint32_t id = process.ask_number("attach");
    EXPECT_EQ(process.ask("grow " + std::to_string(megabytes)), "grown");
    const UniqueFd pid_fd(static_cast<int>(syscall(SYS_pidfd_open, process.pid(), 0)));
    std::future<uint64_t> process_end = std::async(std::launch::async, [&] {
      pollfd item{pid_fd.get(), POLLIN, 0};
      EXPECT_EQ(poll(&item, 1, 60'000), 1);
      return now_ns();
    });
    const uint64_t start = now_ns();
    process.kill(signal);
    const auto notice = agent->sink.wait_for_death_notice(id);
    EXPECT_NE(notice.cause.find(" by signal "), std::string::npos) << notice.cause;
    agent->member->arena_unmapped(id);
    return {notice.time_ns - start, process_end.get() - start};
  }

  static void print(const char* what, std::vector<uint64_t> times) {
    std::sort(times.begin(), times.end());
    const auto us = [&](size_t percent) {
      return static_cast<double>(times[(times.size() - 1) * percent / 100]) / 1000;
    };
    std::printf("  %-28s p50 %8.0f us   p99 %8.0f us   max %8.0f us\n", what, us(50), us(99),
                us(100));
  }
};

// The notice needs one thread of the dead process to end, not its memory to be freed.
// THORNBACK_KILLS raises the number of kills from a handful to what a percentile needs.
TEST_F(DeathNoticeTest, ComesBeforeTheMemoryIsFreed) {
  const char* const wanted = std::getenv("THORNBACK_KILLS");
  const int kills = wanted == nullptr ? 5 : static_cast<int>(std::strtol(wanted, nullptr, 10));
  std::vector<uint64_t> notices;
  std::vector<uint64_t> ends;
  for (int i = 0; i < kills; ++i) {
    const Times times = kill_one(512, SIGKILL);
    notices.push_back(times.notice_ns);
    ends.push_back(times.process_ns);
  }
  if (wanted != nullptr) {
    std::printf("death of a process with 512 MB, %d kills\n", kills);
    print("notice to a peer", notices);
    print("process descriptor", ends);
  }
  // A busy machine may delay any single one.
  EXPECT_LT(*std::min_element(notices.begin(), notices.end()),
            *std::min_element(ends.begin(), ends.end()));
}

}  // namespace
}  // namespace thornback::node
