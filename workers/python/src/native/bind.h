// The rarely used part of the C ABI, one to one, by nanobind.
#pragma once

#include <nanobind/nanobind.h>

namespace thornback::python {

void bind_session(nanobind::module_& m);

}  // namespace thornback::python
