#include "act/plan/claim_template.h"

#include <fmt/format.h>

#include "claims/claim_json.h"

namespace tocsin::act {
namespace {

using nlohmann::json;
constexpr Duration kMostBack = Duration::Hours(24 * 400);

tl::unexpected<Status> Wrong(const std::string& at, std::string_view what) {
  return Error(Code::kInvalidArgument, fmt::format("{}: {}", at, what));
}

Result<Duration> Back(const json& window, const char* key, const std::string& at) {
  const json& in = window[key];
  const auto read =
      in.is_string() ? ParseDuration(in.get<std::string>()) : Error(Code::kInvalidArgument, "no text");
  if (!read || read->ns <= 0 || *read > kMostBack)
    return Wrong(fmt::format("{}.{}", at, key), "is no length of time such as 10m, above zero, up to 400d");
  return *read;
}

json Absolute(Time from, Time to) { return {{"from", FormatTime(from)}, {"to", FormatTime(to)}}; }

// {last}, {last, ago} or {since: step} made absolute; anything else stays for the claim's own reader.
Result<json> ResolveWindow(const json& window, const ClaimMoment& moment, const std::string& at) {
  if (!window.is_object()) return window;
  const bool last = window.contains("last"), ago = window.contains("ago"), since = window.contains("since");
  if (!last && !ago && !since) return window;
  if (window.size() != size_t{last} + size_t{ago} + size_t{since} || (since && (last || ago)) ||
      (ago && !last))
    return Wrong(at, "is one of {from, to}, {last}, {last, ago} and {since: step}");
  if (since) {
    if (window["since"] != "step") return Wrong(at + ".since", "can only be 'step'");
    if (!moment.step_began.known())
      return Wrong(at, "is since the step began, but no step has: only a step's expect can say so");
    if (moment.step_began >= moment.now) return Wrong(at, "is empty: the step began just now");
    return Absolute(moment.step_began, moment.now);
  }
  TOCSIN_ASSIGN_OR_RETURN(const Duration length, Back(window, "last", at));
  Duration end{0};
  if (ago) {
    TOCSIN_ASSIGN_OR_RETURN(end, Back(window, "ago", at));
  }
  const Time to = moment.now - end;
  return Absolute(to - length, to);
}

}  // namespace

Result<claims::Claim> ResolveClaim(const json& claim_template, const Lookup& lookup,
                                   const ClaimMoment& moment) {
  TOCSIN_ASSIGN_OR_RETURN(Resolved resolved, ResolvePlaceholders(claim_template, lookup, "claim"));
  for (const char* key : {"window", "baseline"}) {
    if (!resolved.json.is_object() || !resolved.json.contains(key)) continue;
    TOCSIN_ASSIGN_OR_RETURN(resolved.json[key],
                            ResolveWindow(resolved.json[key], moment, fmt::format("claim.{}", key)));
  }
  return claims::ReadClaim(resolved.json);
}

}  // namespace tocsin::act
