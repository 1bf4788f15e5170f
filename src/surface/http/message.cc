#include "surface/http/message.h"

#include <fmt/format.h>

#include <charconv>

#include "surface/http/problem.h"

namespace tocsin::surface {
namespace {

std::string_view Find(const Headers& list, std::string_view name) {
  for (const auto& [key, value] : list) {
    if (key == name) return value;
  }
  return {};
}

std::string MediaType(std::string_view value) {
  value = value.substr(0, value.find(';'));
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  std::string lower(value);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace

std::string_view Request::Header(std::string_view name) const { return Find(headers, name); }
std::string_view Request::Query(std::string_view name) const { return Find(query, name); }
std::string_view Request::Param(std::string_view name) const { return Find(params, name); }

std::string Request::ContentType() const { return MediaType(Header("content-type")); }

bool Request::Accepts(std::string_view media_type) const {
  std::string_view accept = Header("accept");
  while (!accept.empty()) {
    const size_t comma = accept.find(',');
    if (MediaType(accept.substr(0, comma)) == media_type) return true;
    if (comma == std::string_view::npos) break;
    accept.remove_prefix(comma + 1);
  }
  return false;
}

Result<int64_t> Request::QueryInt(std::string_view name, int64_t otherwise, int64_t low, int64_t high) const {
  const std::string_view text = Query(name);
  if (text.empty()) return otherwise;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low || value > high) {
    return Error(
        Code::kInvalidArgument,
        fmt::format("query parameter '{}' is '{}', not a whole number from {} to {}", name, text, low, high));
  }
  return value;
}

Responder::Once::~Once() {
  if (send) send(ProblemResponse(Status(Code::kInternal, "the request was dropped without an answer")));
}

void Responder::Once::Call(Response response) {
  if (auto once = std::exchange(send, nullptr)) once(std::move(response));
}

}  // namespace tocsin::surface
