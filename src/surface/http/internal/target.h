// The request target, split and percent-decoded. Pure; thread-safe.
#pragma once

#include <string_view>

#include "kernel/status.h"
#include "surface/http/message.h"

namespace tocsin::surface::internal {

// Origin form ("/a?b=c") or absolute form ("http://host/a?b=c"). Sets request.path and request.query.
// kInvalidArgument when it is neither.
Status ParseTarget(std::string_view target, Request& request);

}  // namespace tocsin::surface::internal
