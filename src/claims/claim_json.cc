#include "claims/claim_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "claims/claim_fields.h"
#include "claims/internal/claim_rules.h"
#include "kernel/id.h"
#include "ports/yaml/yaml_json.h"
#include "ports/yaml/yaml_value.h"

namespace tocsin::claims {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

Status Wrong(const std::string& at, std::string_view what) {
  return Status(Code::kInvalidArgument, fmt::format("{}: {}", at, what));
}

template <class Record>
Status ReadShape(const json& in, const std::string& at, Record& out, bool kind);

Status Read(const json& in, const std::string& at, std::string& out) {
  if (!in.is_string()) return Wrong(at, "is no text");
  out = in.get<std::string>();
  if (out.size() > kMaxClaimText) return Wrong(at, fmt::format("is longer than {} bytes", kMaxClaimText));
  return Status::Ok();
}

Status Read(const json& in, const std::string& at, bool& out) {
  if (!in.is_boolean()) return Wrong(at, "is neither true nor false");
  out = in.get<bool>();
  return Status::Ok();
}

Status Read(const json& in, const std::string& at, double& out) {
  if (!in.is_number()) return Wrong(at, "is no number");
  out = in.get<double>();
  return std::isfinite(out) ? Status::Ok() : Wrong(at, "is not finite");
}

Status Read(const json& in, const std::string& at, Time& out) {
  std::string text;
  TOCSIN_RETURN_IF_ERROR(Read(in, at, text));
  const auto time = ParseTime(text);
  if (!time) return Wrong(at, "is no time as 2026-11-24T02:10:00Z");
  out = *time;
  return Status::Ok();
}

Status Read(const json& in, const std::string& at, Duration& out) {
  std::string text;
  TOCSIN_RETURN_IF_ERROR(Read(in, at, text));
  const auto duration = ParseDuration(text);
  if (!duration || duration->ns < 0) return Wrong(at, "is no duration as 5m");
  out = *duration;
  return Status::Ok();
}

Status OnlyKeys(const json& in, const std::string& at, std::initializer_list<std::string_view> keys) {
  if (!in.is_object()) return Wrong(at, "is no object");
  for (const auto& [key, value] : in.items()) {
    if (std::ranges::find(keys, key) == keys.end())
      return Wrong(at, fmt::format("does not take the key '{}'", key.substr(0, 64)));
  }
  return Status::Ok();
}

Status Read(const json& in, const std::string& at, Window& out) {
  TOCSIN_RETURN_IF_ERROR(OnlyKeys(in, at, {"from", "to"}));
  if (!in.contains("from") || !in.contains("to")) return Wrong(at, "needs from and to");
  TOCSIN_RETURN_IF_ERROR(Read(in["from"], at + ".from", out.from));
  TOCSIN_RETURN_IF_ERROR(Read(in["to"], at + ".to", out.to));
  return out.from < out.to ? Status::Ok() : Wrong(at, "ends before it begins");
}

Status Read(const json& in, const std::string& at, Bounds& out) {
  TOCSIN_RETURN_IF_ERROR(OnlyKeys(in, at, {"at_least", "at_most"}));
  if (in.empty()) return Wrong(at, "needs at_least or at_most");
  if (in.contains("at_least")) TOCSIN_RETURN_IF_ERROR(Read(in["at_least"], at + ".at_least", out.low));
  if (in.contains("at_most")) TOCSIN_RETURN_IF_ERROR(Read(in["at_most"], at + ".at_most", out.high));
  return out.low <= out.high ? Status::Ok() : Wrong(at, "at_least is above at_most");
}

Status Read(const json& in, const std::string& at, Condition& out) {
  TOCSIN_RETURN_IF_ERROR(OnlyKeys(in, at, {"field", "is", "is_not", "contains"}));
  if (!in.contains("field") || in.size() != 2)
    return Wrong(at, "needs field and one of is, is_not, contains");
  TOCSIN_RETURN_IF_ERROR(Read(in["field"], at + ".field", out.field));
  for (const char* op : {"is", "is_not", "contains"}) {
    if (!in.contains(op)) continue;
    out.op = op;
    TOCSIN_RETURN_IF_ERROR(Read(in[op], fmt::format("{}.{}", at, op), out.value));
  }
  if (out.op == "contains" && out.value.empty()) return Wrong(at, "every text contains an empty one");
  return Status::Ok();
}

Status Read(const json& in, const std::string& at, Measure& out) { return ReadShape(in, at, out, false); }

template <class T>
Status Read(const json& in, const std::string& at, std::vector<T>& out) {
  if (!in.is_array()) return Wrong(at, "is no list");
  if (in.size() > kMaxConditions) return Wrong(at, fmt::format("holds more than {}", kMaxConditions));
  for (size_t i = 0; i < in.size(); ++i)
    TOCSIN_RETURN_IF_ERROR(Read(in[i], fmt::format("{}[{}]", at, i), out.emplace_back()));
  return Status::Ok();
}

template <class T>
Status Read(const json& in, const std::string& at, std::optional<T>& out) {
  return Read(in, at, out.emplace());
}

Status CheckWord(const std::string& at, std::string_view field, const json& in) {
  const auto words = WordsOf(field);
  if (words.empty() || !in.is_string()) return Status::Ok();
  const auto& word = in.get_ref<const std::string&>();
  if (std::ranges::find(words, word) != words.end()) return Status::Ok();
  const std::string near = ports::NearestWord(word, words);
  return Wrong(at, near.empty() ? fmt::format("is none of {}", fmt::join(words, ", "))
                                : fmt::format("is '{}'; did you mean '{}'?", word.substr(0, 64), near));
}

template <class Record>
Status ReadShape(const json& in, const std::string& at, Record& out, bool kind) {
  if (!in.is_object()) return Wrong(at, "is no object");
  std::set<std::string, std::less<>> known;
  if (kind) known.insert("kind");
  Status status;
  std::apply(
      [&](const auto&... f) {
        const auto one = [&](const auto& field) {
          known.insert(field.name);
          if (!status.ok()) return;
          const std::string place = fmt::format("{}.{}", at, field.name);
          if (!in.contains(field.name)) {
            if (field.required) status = Wrong(at, fmt::format("needs '{}'", field.name));
            return;
          }
          status = CheckWord(place, field.name, in[field.name]);
          if (status.ok()) status = Read(in[field.name], place, out.*(field.member));
        };
        (one(f), ...);
      },
      Shape<Record>::kFields);
  TOCSIN_RETURN_IF_ERROR(std::move(status));
  for (const auto& [key, value] : in.items()) {
    if (!known.contains(key)) return Wrong(at, fmt::format("does not take the key '{}'", key.substr(0, 64)));
  }
  return Status::Ok();
}

// Tries each alternative of the variant by its kind.
template <size_t I = 0>
Result<Claim> ReadKind(std::string_view kind, const json& in, const std::string& at) {
  if constexpr (I == std::variant_size_v<Claim>) {
    std::vector<std::string_view> kinds;
    VisitKinds([&](auto tag) { kinds.push_back(Shape<typename decltype(tag)::type>::kKind); });
    const std::string near = ports::NearestWord(kind, kinds);
    return tl::unexpected(Wrong(at + ".kind", near.empty()
                                                  ? fmt::format("is none of {}", fmt::join(kinds, ", "))
                                                  : fmt::format("did you mean '{}'?", near)));
  } else {
    using Record = std::variant_alternative_t<I, Claim>;
    if (kind != Shape<Record>::kKind) return ReadKind<I + 1>(kind, in, at);
    Record record;
    TOCSIN_RETURN_IF_ERROR(ReadShape(in, at, record, true));
    TOCSIN_RETURN_IF_ERROR(internal::CheckRules(record, at));
    return Claim(std::move(record));
  }
}

ordered_json Written(const std::string& v) { return v; }
ordered_json Written(bool v) { return v; }
ordered_json Written(double v) { return v; }
ordered_json Written(Time v) { return FormatTime(v); }
ordered_json Written(Duration v) { return internal::ExactDuration(v); }
ordered_json Written(const Window& v) { return {{"from", FormatTime(v.from)}, {"to", FormatTime(v.to)}}; }
ordered_json Written(const Bounds& v) {
  ordered_json out = ordered_json::object();
  if (std::isfinite(v.low)) out["at_least"] = v.low;
  if (std::isfinite(v.high)) out["at_most"] = v.high;
  return out;
}
ordered_json Written(const Condition& v) { return {{"field", v.field}, {v.op, v.value}}; }
template <class Record>
ordered_json WriteShape(const Record& record, ordered_json out);
ordered_json Written(const Measure& v) { return WriteShape(v, ordered_json::object()); }
template <class T>
ordered_json Written(const std::vector<T>& v) {
  ordered_json out = ordered_json::array();
  for (const auto& item : v) out.push_back(Written(item));
  return out;
}

template <class T>
bool Unset(const T& value) {
  if constexpr (std::is_same_v<T, std::string>) return value.empty();
  if constexpr (std::is_same_v<T, std::vector<Condition>>) return value.empty();
  if constexpr (std::is_same_v<T, Duration>) return value.ns == 0;
  return false;
}
template <class T>
bool Unset(const std::optional<T>& value) {
  return !value;
}

template <class T>
ordered_json Written(const std::optional<T>& v) {
  return Written(*v);
}

template <class Record>
ordered_json WriteShape(const Record& record, ordered_json out) {
  std::apply(
      [&](const auto&... f) {
        const auto one = [&](const auto& field) {
          const auto& value = record.*(field.member);
          if (!field.required && Unset(value)) return;
          out[field.name] = Written(value);
        };
        (one(f), ...);
      },
      Shape<Record>::kFields);
  return out;
}

}  // namespace

Result<Claim> ReadClaim(const json& in, const std::string& at) {
  if (!in.is_object()) return tl::unexpected(Wrong(at, "is no object"));
  const auto kind = in.find("kind");
  if (kind == in.end() || !kind->is_string()) return tl::unexpected(Wrong(at, "needs 'kind'"));
  return ReadKind(kind->get<std::string>(), in, at);
}

ordered_json WriteClaim(const Claim& claim) {
  return std::visit(
      [](const auto& record) {
        return WriteShape(record, {{"kind", Shape<std::decay_t<decltype(record)>>::kKind}});
      },
      claim);
}

Result<std::vector<Claim>> ReadClaims(const json& in) {
  const json* list = &in;
  if (in.is_object() && in.contains("claims")) {
    TOCSIN_RETURN_IF_ERROR(OnlyKeys(in, "file", {"claims"}));
    list = &in["claims"];
  }
  std::vector<Claim> claims;
  if (list->is_object()) {
    TOCSIN_ASSIGN_OR_RETURN(Claim claim, ReadClaim(*list));
    claims.push_back(std::move(claim));
    return claims;
  }
  if (!list->is_array()) return tl::unexpected(Wrong("claims", "is no list"));
  if (list->size() > kMaxClaims)
    return tl::unexpected(Wrong("claims", fmt::format("holds more than {}", kMaxClaims)));
  for (size_t i = 0; i < list->size(); ++i) {
    TOCSIN_ASSIGN_OR_RETURN(Claim claim, ReadClaim((*list)[i], fmt::format("claims[{}]", i)));
    claims.push_back(std::move(claim));
  }
  return claims;
}

Result<std::vector<Claim>> ReadClaimText(std::string_view text, const std::string& name) {
  if (text.size() > kMaxClaimFileBytes)
    return tl::unexpected(Wrong(name, fmt::format("is longer than {} bytes", kMaxClaimFileBytes)));
  const auto first = text.find_first_not_of(" \t\r\n");
  json document;
  if (first != std::string_view::npos && (text[first] == '{' || text[first] == '[')) {
    try {
      document = json::parse(text);
    } catch (const std::exception& error) {
      return tl::unexpected(Wrong(name, fmt::format("is no JSON: {}", error.what())));
    }
  } else {
    TOCSIN_ASSIGN_OR_RETURN(document, ports::ParseYamlAsJson(text, name));
  }
  auto claims = ReadClaims(document);
  if (!claims) return tl::unexpected(claims.error().WithContext(name));
  return claims;
}

std::string_view KindOf(const Claim& claim) {
  return std::visit([](const auto& r) -> std::string_view { return Shape<std::decay_t<decltype(r)>>::kKind; },
                    claim);
}

std::string ClaimIdOf(const Claim& claim) {
  return fmt::format("c-{:016x}", StableHash(WriteClaim(claim).dump(-1, ' ', false,
                                                                    ordered_json::error_handler_t::replace)));
}

}  // namespace tocsin::claims
