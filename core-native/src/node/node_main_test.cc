// The main function of the node tests: the executable also plays the endpoints that are killed.
#include <gtest/gtest.h>

#include "node/testing/helper_main.h"

int main(int argc, char** argv) {
  const int code = thornback::node::testing::run_as_helper(argc, argv);
  if (code >= 0) return code;
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
