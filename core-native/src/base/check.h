// Assertions that stay on in release: a broken invariant ends the process with its place instead of
// corrupting shared memory.
#pragma once

#include <cstdio>
#include <cstdlib>

#define TBK_CHECK(condition)                                                                 \
  do {                                                                                       \
    if (__builtin_expect(!(condition), 0)) {                                                 \
      std::fprintf(stderr, "thornback: broken invariant at %s:%d: %s\n", __FILE__, __LINE__, \
                   #condition);                                                              \
      std::abort();                                                                          \
    }                                                                                        \
  } while (0)
