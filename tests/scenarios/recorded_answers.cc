#include "recorded_answers.h"

#include <zstd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace tocsin::scenarios {
namespace {

std::filesystem::path DataDirectory() {
  if (const char* data = std::getenv("TOCSIN_DATA")) return data;
  const char* source = std::getenv("TOCSIN_SOURCE_DIR");
  return std::filesystem::path(source == nullptr ? "." : source) / ".." / "shared" / "data";
}

Result<std::string> Inflate(const std::string& packed) {
  const auto size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > (1U << 30U)) {
    return Error(Code::kInvalidArgument, "not a zstd frame of known size");
  }
  std::string text(size, '\0');
  const size_t got = ZSTD_decompress(text.data(), text.size(), packed.data(), packed.size());
  if (ZSTD_isError(got) != 0U) return Error(Code::kDataLoss, "damaged zstd frame");
  return text;
}

bool Fits(const nlohmann::json& row, const std::string& where) {
  std::istringstream in(where);
  std::string part;
  while (std::getline(in, part, ',')) {
    const size_t colon = part.find(':');
    if (colon == std::string::npos || row.value(part.substr(0, colon), "") != part.substr(colon + 1))
      return false;
  }
  return true;
}

}  // namespace

Result<std::vector<RecordedAnswer>> ReadRecorded(const std::string& file, const std::string& where) {
  const auto path = DataDirectory() / file;
  std::ifstream in(path, std::ios::binary);
  if (!in)
    return Error(Code::kNotFound, "recorded answers are not at " + path.string() + " (set TOCSIN_DATA)");
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (file.ends_with(".zst")) {
    TOCSIN_ASSIGN_OR_RETURN(text, Inflate(text));
  }
  std::vector<RecordedAnswer> out;
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    const auto row = nlohmann::json::parse(line, nullptr, false);
    if (!row.is_object() || !Fits(row, where)) continue;
    const auto output = row.find("output");
    out.push_back({row.value("prompt", ""), output->is_string() ? output->get<std::string>() : ""});
  }
  return out;
}

}  // namespace tocsin::scenarios
