#include "investigate/evaluation/text_file.h"

#include <fmt/format.h>

#include <fstream>

namespace tocsin::investigate {

Result<std::string> ReadTextFile(const std::filesystem::path& path, size_t most_bytes) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return Error(Code::kNotFound, fmt::format("{}: {}", path.string(), error.message()));
  if (size > most_bytes) {
    return Error(Code::kOutOfRange, fmt::format("{}: {} bytes, limit {}", path.string(), size, most_bytes));
  }
  std::ifstream in(path, std::ios::binary);
  std::string text(size, '\0');
  if (!in.read(text.data(), static_cast<std::streamsize>(size))) {
    return Error(Code::kNotFound, fmt::format("{}: cannot be read", path.string()));
  }
  return text;
}

}  // namespace tocsin::investigate
