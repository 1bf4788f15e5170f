#include "act/execute/flag_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>

#include "claims/claim_text.h"

namespace tocsin::act {
namespace {

using nlohmann::json;

constexpr size_t kMaxFileBytes = 4u << 20;

std::string Why(int error) { return std::generic_category().message(error); }

Result<std::string> ReadText(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    return Error(Code::kNotFound, "there is no file " + path);
  std::ifstream in(path, std::ios::binary);
  std::string text(kMaxFileBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad()) return Error(Code::kUnavailable, path + " cannot be read");
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() > kMaxFileBytes)
    return Error(Code::kFailedPrecondition, path + " is too large to be changed");
  return text;
}

// Walks over text that is known to be JSON, to learn where a value stands.
class JsonPlaces {
 public:
  explicit JsonPlaces(std::string_view text) : text_(text) {}

  struct Span {
    size_t begin = 0, end = 0;
  };
  // Of the only member `key` of the object at `object`. kNotFound; kFailedPrecondition when there are two.
  Result<Span> Member(Span object, const std::string& key) const {
    Span found;
    size_t at = Blank(object.begin + 1);
    while (at < object.end && text_[at] == '"') {
      const Span name = Value(at);
      const Span value = Value(Blank(Blank(name.end) + 1));  // after the colon
      const json read = json::parse(Text(name), nullptr, false);
      if (read.is_string() && read.get_ref<const std::string&>() == key) {
        if (found.end != 0)
          return Error(Code::kFailedPrecondition, fmt::format("'{}' is there twice", claims::Printable(key)));
        found = value;
      }
      at = Blank(value.end);
      if (at < object.end && text_[at] == ',') at = Blank(at + 1);
    }
    if (found.end == 0)
      return Error(Code::kNotFound, fmt::format("there is no '{}'", claims::Printable(key)));
    return found;
  }
  Span Whole() const { return Value(Blank(0)); }
  std::string_view Text(Span span) const { return text_.substr(span.begin, span.end - span.begin); }

 private:
  size_t Blank(size_t at) const {
    const size_t next = text_.find_first_not_of(" \t\r\n", at);
    return next == std::string_view::npos ? text_.size() : next;
  }
  size_t EndOfString(size_t at) const {
    for (++at; at < text_.size() && text_[at] != '"'; ++at) {
      if (text_[at] == '\\') ++at;
    }
    return std::min(at + 1, text_.size());
  }
  Span Value(size_t begin) const {
    if (begin >= text_.size()) return {text_.size(), text_.size()};
    if (text_[begin] == '"') return {begin, EndOfString(begin)};
    if (text_[begin] != '{' && text_[begin] != '[')
      return {begin, std::min(text_.find_first_of(",]} \t\r\n", begin), text_.size())};
    size_t at = begin;
    for (int depth = 0; at < text_.size();) {
      if (text_[at] == '"') {
        at = EndOfString(at);
        continue;
      }
      depth += text_[at] == '{' || text_[at] == '[' ? 1 : text_[at] == '}' || text_[at] == ']' ? -1 : 0;
      ++at;
      if (depth == 0) break;
    }
    return {begin, at};
  }

  std::string_view text_;
};

Status ReplaceFile(const std::string& path, const std::string& text) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0)
    return Status(Code::kUnavailable, fmt::format("{}: {}", path, Why(errno)));
  const std::string fresh = fmt::format("{}.tocsin-{}", path, getpid());
  unlink(fresh.c_str());
  const int fd = open(fresh.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return Status(Code::kUnavailable, fmt::format("cannot write beside {} ({})", path, Why(errno)));
  bool good = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
              (fchown(fd, info.st_uid, info.st_gid) == 0 || geteuid() == info.st_uid) &&
              fchmod(fd, info.st_mode & 07777) == 0 && fsync(fd) == 0;
  good = close(fd) == 0 && good && rename(fresh.c_str(), path.c_str()) == 0;
  if (!good) {
    const int error = errno;
    unlink(fresh.c_str());
    return Status(Code::kUnavailable, fmt::format("cannot replace {} ({})", path, Why(error)));
  }
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (const int parent = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); parent >= 0) {
    fsync(parent);
    close(parent);
  }
  return {};
}

}  // namespace

Result<FlagInFile> ReadFlagInFile(const std::string& path, const std::string& flag) {
  FlagInFile read;
  TOCSIN_ASSIGN_OR_RETURN(read.file_text, ReadText(path));
  const json all = json::parse(read.file_text, nullptr, false);
  if (!all.is_object() || !all.contains("flags") || !all["flags"].is_object())
    return Error(Code::kFailedPrecondition, path + " is not a JSON object with flags");
  const auto entry = all["flags"].find(flag);
  if (entry == all["flags"].end() || !entry->is_object())
    return Error(Code::kNotFound, fmt::format("{} has no flag '{}'", path, claims::Printable(flag)));
  if (const auto variants = entry->find("variants"); variants != entry->end() && variants->is_object()) {
    for (const auto& [name, value] : variants->items()) read.variants.push_back(name);
  }
  if (const auto variant = entry->find("defaultVariant"); variant != entry->end() && variant->is_string())
    read.variant = variant->get<std::string>();
  const auto targeting = entry->find("targeting");
  read.has_targeting = targeting != entry->end() && targeting->is_object() && !targeting->empty();
  const auto state = entry->find("state");
  read.disabled = state != entry->end() && *state == "DISABLED";
  return read;
}

Status WriteFlagInFile(const std::string& path, const std::string& flag, const std::string& variant,
                       const FlagInFile& read) {
  if (std::ranges::find(read.variants, variant) == read.variants.end())
    return Status(Code::kInvalidArgument, fmt::format("flag '{}' has no variant '{}'",
                                                      claims::Printable(flag), claims::Printable(variant)));
  const JsonPlaces places(read.file_text);
  JsonPlaces::Span at = places.Whole();
  for (const std::string& key : {std::string("flags"), flag, std::string("defaultVariant")}) {
    const auto member = places.Member(at, key);
    if (!member) return member.error().WithContext(path);
    at = *member;
  }
  std::string text = read.file_text;
  text.replace(at.begin, at.end - at.begin, json(variant).dump());
  std::error_code error;
  const auto real = std::filesystem::canonical(path, error);
  if (error) return Status(Code::kUnavailable, fmt::format("{}: {}", path, error.message()));
  TOCSIN_ASSIGN_OR_RETURN(const std::string now, ReadText(path));
  if (now != read.file_text)
    return Status(Code::kFailedPrecondition, path + " was changed by somebody else in this moment");
  return ReplaceFile(real.string(), text);
}

}  // namespace tocsin::act
