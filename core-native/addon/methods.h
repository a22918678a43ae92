// The functions of thornback.h as methods of an endpoint object, in groups. A method that
// fails throws an Error with the status; expected outcomes (not there yet, the end of a stream) are
// returned.
#pragma once

#include <node_api.h>

#include <vector>

namespace thornback::addon {

void add_value_methods(std::vector<napi_property_descriptor>& methods);
void add_mapping_methods(std::vector<napi_property_descriptor>& methods);
void add_call_methods(std::vector<napi_property_descriptor>& methods);
void add_target_methods(std::vector<napi_property_descriptor>& methods);
void add_session_methods(std::vector<napi_property_descriptor>& methods);

inline napi_property_descriptor method(const char* name, napi_callback callback) {
  return {name, nullptr, callback, nullptr, nullptr, nullptr, napi_default_method, nullptr};
}

}  // namespace thornback::addon
