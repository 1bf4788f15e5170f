// The version, given by the build (CMakeLists.txt's project VERSION).
#pragma once

namespace tocsin::surface {

#ifdef TOCSIN_VERSION
inline constexpr const char* kVersion = TOCSIN_VERSION;
#else
inline constexpr const char* kVersion = "0.0.0-dev";
#endif

}  // namespace tocsin::surface
