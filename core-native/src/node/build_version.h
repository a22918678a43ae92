// What the version handshake compares.
#pragma once

// The build may give another one; tbk_version() tells the same.
#ifndef TBK_VERSION_TEXT
#define TBK_VERSION_TEXT "0.1.0"
#endif

namespace thornback::node {

// Processes of one session run the same build, because the layouts of shared memory carry no
// promise between versions.
inline constexpr char kBuildVersion[] = TBK_VERSION_TEXT;

}  // namespace thornback::node
