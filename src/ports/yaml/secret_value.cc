#include "ports/yaml/secret_value.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

namespace tocsin::ports {
namespace {

std::string Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(kBlank) - first + 1));
}

Result<std::string> ReadSecretFile(const YamlValue& at, size_t most) {
  TOCSIN_ASSIGN_OR_RETURN(const std::string name, at.Text(4096));
  std::error_code error;
  const auto path = std::filesystem::path(at.file()).parent_path() / name;
  if (!std::filesystem::is_regular_file(path, error) || error)
    return Error(at.Wrong(fmt::format("there is no file '{}'", path.string())));
  std::ifstream in(path, std::ios::binary);
  std::string text(most + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad())
    return Error(at.Wrong(fmt::format("the file '{}' cannot be read", path.string())));
  if (static_cast<size_t>(in.gcount()) > most)
    return Error(at.Wrong(fmt::format("the file '{}' is longer than {} bytes", path.string(), most)));
  text.resize(static_cast<size_t>(in.gcount()));
  return Trimmed(text);
}

}  // namespace

Result<std::optional<SecretValue>> FindSecret(const YamlValue& mapping, std::string_view key, size_t most) {
  const auto plain = mapping.Find(key);
  const auto file = mapping.Find(std::string(key) + "_file");
  if (!plain && !file) return std::optional<SecretValue>();
  if (plain && file)
    return Error(file->Wrong(fmt::format("give either '{}' or '{}_file', not both", key, key)));
  if (plain) {
    TOCSIN_ASSIGN_OR_RETURN(std::string text, plain->Text(most));
    if (text.empty()) return Error(plain->Wrong("is empty"));
    return std::optional(SecretValue{std::move(text), *plain});
  }
  TOCSIN_ASSIGN_OR_RETURN(std::string text, ReadSecretFile(*file, most));
  if (text.empty()) return Error(file->Wrong("the file is empty"));
  return std::optional(SecretValue{std::move(text), *file});
}

}  // namespace tocsin::ports
