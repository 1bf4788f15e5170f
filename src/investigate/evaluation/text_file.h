// A whole file as text, bounded. Errors: kNotFound, kOutOfRange (larger than kMostBytes).
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "kernel/status.h"

namespace tocsin::investigate {

Result<std::string> ReadTextFile(const std::filesystem::path& path, size_t most_bytes = size_t{256} << 20U);

}  // namespace tocsin::investigate
