#include "respond/oncall/internal/read_channel.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tocsin::respond::internal {
namespace {

enum class Use { kNeeded, kPossible, kNone };

struct Kind {
  std::string_view name;
  Use address;
  Use url;
  Use key;
};

constexpr std::array kKinds = {Kind{"email", Use::kNeeded, Use::kNone, Use::kNone},
                               Kind{"slack", Use::kNone, Use::kNeeded, Use::kNone},
                               Kind{"webhook", Use::kNone, Use::kNeeded, Use::kPossible},
                               Kind{"ntfy", Use::kNone, Use::kNeeded, Use::kPossible},
                               Kind{"pagerduty", Use::kNone, Use::kPossible, Use::kNeeded}};

bool Plain(const std::string& text) {
  return !text.empty() && std::ranges::none_of(text, [](char c) { return c <= ' ' || c > '~'; });
}

Status ReadField(const LocatedYaml& yaml, const char* key, Use use, const std::string& kind,
                 std::string& out) {
  const auto field = yaml.Find(key);
  if (!field) return use == Use::kNeeded ? yaml.Wrong(fmt::format("{} needs '{}'", kind, key)) : Status::Ok();
  if (use == Use::kNone) return field->Wrong(fmt::format("is of no use to {}", kind));
  TOCSIN_ASSIGN_OR_RETURN(out, field->Text());
  return Plain(out) ? Status::Ok() : field->Wrong("is empty or not plain ASCII without spaces");
}

bool IsUrl(std::string_view text) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (text.starts_with(scheme)) return text.size() > scheme.size();
  }
  return false;
}

bool IsAddress(const std::string& text) {
  const size_t at = text.find('@');
  return at != 0 && at != std::string::npos && at + 1 < text.size() &&
         text.find('@', at + 1) == std::string::npos && text.find_first_of("<>,;:\"()") == std::string::npos;
}

}  // namespace

Result<PersonChannel> ReadChannel(const LocatedYaml& yaml) {
  TOCSIN_RETURN_IF_ERROR(yaml.Keys({"kind", "address", "url", "key"}));
  PersonChannel out;
  TOCSIN_ASSIGN_OR_RETURN(const auto name, yaml.Need("kind"));
  TOCSIN_ASSIGN_OR_RETURN(out.kind, name.Text());
  const auto* kind = std::ranges::find(kKinds, std::string_view(out.kind), &Kind::name);
  if (kind == kKinds.end()) {
    return Error(name.Wrong(fmt::format("'{}' is not email, slack, webhook, ntfy or pagerduty", out.kind)));
  }
  TOCSIN_RETURN_IF_ERROR(ReadField(yaml, "address", kind->address, out.kind, out.address));
  TOCSIN_RETURN_IF_ERROR(ReadField(yaml, "url", kind->url, out.kind, out.url));
  TOCSIN_RETURN_IF_ERROR(ReadField(yaml, "key", kind->key, out.kind, out.key));
  if (!out.url.empty() && !IsUrl(out.url))
    return Error(yaml.Find("url")->Wrong("begins with neither https:// nor http://"));
  if (!out.address.empty() && !IsAddress(out.address))
    return Error(yaml.Find("address")->Wrong("is not an e-mail address such as ada@example.org"));
  return out;
}

}  // namespace tocsin::respond::internal
