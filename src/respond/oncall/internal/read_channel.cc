#include "respond/oncall/internal/read_channel.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ports/smtp_client.h"
#include "ports/yaml/secret_value.h"

namespace tocsin::respond::internal {
namespace {

using ports::YamlValue;

constexpr size_t kMaxChannelText = 2048;

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

bool IsUrl(std::string_view text) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (text.starts_with(scheme)) return text.size() > scheme.size();
  }
  return false;
}

// The value under `key`, or in the file under key_file.
Result<std::optional<ports::SecretValue>> ReadField(const YamlValue& yaml, const char* key, Use use,
                                                    const std::string& kind) {
  TOCSIN_ASSIGN_OR_RETURN(auto field, ports::FindSecret(yaml, key, kMaxChannelText));
  if (!field) {
    if (use == Use::kNeeded) return Error(yaml.Wrong(fmt::format("{} needs '{}'", kind, key)));
    return field;
  }
  if (use == Use::kNone) return Error(field->at.Wrong(fmt::format("is of no use to {}", kind)));
  if (!Plain(field->text)) return Error(field->at.Wrong("is not plain ASCII without spaces"));
  return field;
}

Status ReadLimit(const YamlValue& yaml, RateLimit& limit) {
  TOCSIN_RETURN_IF_ERROR(yaml.Keys({"burst", "every"}));
  TOCSIN_ASSIGN_OR_RETURN(const auto burst, yaml.Need("burst"));
  TOCSIN_ASSIGN_OR_RETURN(limit.burst, burst.Count(1, 1000));
  if (const auto every = yaml.Find("every")) {
    TOCSIN_ASSIGN_OR_RETURN(limit.every, every->Span());
    if (limit.every.ns <= 0 || limit.every > Duration::Hours(24))
      return every->Wrong("is not above 0 and at most a day");
  }
  return Status::Ok();
}

}  // namespace

Result<PersonChannel> ReadChannel(const YamlValue& yaml) {
  TOCSIN_RETURN_IF_ERROR(
      yaml.Keys({"name", "kind", "address", "url", "url_file", "key", "key_file", "rate_limit"}));
  PersonChannel out;
  TOCSIN_ASSIGN_OR_RETURN(const auto name, yaml.Need("kind"));
  TOCSIN_ASSIGN_OR_RETURN(out.kind, name.Text());
  const auto* kind = std::ranges::find(kKinds, std::string_view(out.kind), &Kind::name);
  if (kind == kKinds.end()) {
    return Error(name.Wrong(fmt::format("'{}' is not email, slack, webhook, ntfy or pagerduty", out.kind)));
  }
  if (const auto given = yaml.Find("name")) {
    TOCSIN_ASSIGN_OR_RETURN(out.name, given->Text());
    if (!ports::IsPlainName(out.name))
      return Error(given->Wrong(
          fmt::format("'{}' is not a name: letters, digits, - _ . @, at most 64", out.name.substr(0, 64))));
  }
  if (const auto address = yaml.Find("address")) {
    if (kind->address == Use::kNone) return Error(address->Wrong("is of no use to " + out.kind));
    TOCSIN_ASSIGN_OR_RETURN(out.address, address->Text());
    if (!ports::IsMailAddress(out.address))
      return Error(address->Wrong("is not an e-mail address such as ada@example.org"));
  } else if (kind->address == Use::kNeeded) {
    return Error(yaml.Wrong(fmt::format("{} needs 'address'", out.kind)));
  }
  TOCSIN_ASSIGN_OR_RETURN(auto url, ReadField(yaml, "url", kind->url, out.kind));
  if (url && !IsUrl(url->text)) return Error(url->at.Wrong("begins with neither https:// nor http://"));
  if (url) out.url = std::move(url->text);
  TOCSIN_ASSIGN_OR_RETURN(auto key, ReadField(yaml, "key", kind->key, out.kind));
  if (key) out.key = std::move(key->text);
  if (const auto limit = yaml.Find("rate_limit")) TOCSIN_RETURN_IF_ERROR(ReadLimit(*limit, out.limit));
  return out;
}

}  // namespace tocsin::respond::internal
