#include "claims/claim_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "claims/claim_fields.h"

namespace tocsin::claims {
namespace {

std::string Thousands(double value) {
  std::string digits = fmt::format("{:.0f}", std::abs(value));
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<size_t>(at), ",");
  return (value < 0 ? "-" : "") + digits;
}

std::string Plain(double value) {
  if (!std::isfinite(value)) return value > 0 ? "unbounded" : "unbounded below";
  if (std::abs(value) >= 1000 || value == std::round(value)) return Thousands(value);
  return fmt::format("{:.3g}", value);
}

std::string When(const Window& w) {
  const bool same_day = FormatTime(w.from).substr(0, 10) == FormatTime(w.to).substr(0, 10);
  const std::string from = FormatTime(w.from), to = FormatTime(w.to);
  const auto clock = [](const std::string& t) { return t.substr(11, t.substr(17, 2) == "00" ? 5 : 8); };
  return same_day
             ? fmt::format("{} {}–{} UTC", from.substr(0, 10), clock(from), clock(to))
             : fmt::format("{} {} – {} {} UTC", from.substr(0, 10), clock(from), to.substr(0, 10), clock(to));
}

std::string Where(const std::vector<Condition>& conditions) {
  std::string out;
  for (const auto& c : conditions) {
    const char* op = c.op == "is" ? "=" : c.op == "is_not" ? "≠" : "contains";
    out += fmt::format("{}{} {} \"{}\"", out.empty() ? "" : ", ", Printable(c.field, 40), op,
                       Printable(c.value, 60));
  }
  return out;
}

std::string Scope(const std::string& of, const std::string& service, const std::vector<Condition>& where) {
  std::string out = of;
  std::ranges::replace(out, '_', ' ');
  if (!service.empty()) out += " of " + Printable(service, 60);
  if (!where.empty()) out += fmt::format(" ({})", Where(where));
  return out;
}

std::string Name(const Measure& m) {
  const std::string scope = Scope(m.of == "metrics" ? "" : m.of, m.service, m.where);
  if (m.statistic == "count")
    return fmt::format("number of {}", m.value.empty() ? scope : m.value + " " + scope);
  if (m.statistic == "per_minute")
    return fmt::format("{}{} per minute", m.value.empty() ? "" : Printable(m.value, 60) + " ", scope);
  if (m.of == "metrics") return fmt::format("{} of {}{}", m.statistic, Printable(m.value, 60), scope);
  return fmt::format("{} of {} among {}", m.statistic, Printable(m.value, 60), scope);
}

std::string Say(const Bounds& b, std::string_view quantity) {
  if (std::isfinite(b.low) && std::isfinite(b.high)) {
    if (b.low == b.high) return FormatQuantity(b.low, quantity);
    return fmt::format("between {} and {}", FormatQuantity(b.low, quantity),
                       FormatQuantity(b.high, quantity));
  }
  return std::isfinite(b.low) ? fmt::format("at least {}", FormatQuantity(b.low, quantity))
                              : fmt::format("at most {}", FormatQuantity(b.high, quantity));
}

std::string Quantity(const Measure& m) {
  if (m.statistic == "share") return "share";
  if (m.value.ends_with("_ms")) return "ms";
  return m.value.ends_with("_usd") ? "usd" : "";
}

std::string Moved(const Measure& m, const Window& window, const Window& baseline,
                  const std::string& direction, const std::optional<Bounds>& factor,
                  const std::optional<Bounds>& difference, const std::vector<Condition>& against) {
  std::string out = against.empty()
                        ? fmt::format("{} {} in {} against {}", Name(m), direction == "up" ? "rose" : "fell",
                                      When(window), When(baseline))
                        : fmt::format("{} is {} than where {}, in {}", Name(m),
                                      direction == "up" ? "higher" : "lower", Where(against), When(window));
  if (factor) out += fmt::format(", to {} times", Say(*factor, ""));
  if (difference) out += fmt::format(", by {}", Say(*difference, Quantity(m)));
  return out;
}

std::string Line(const MetricLevel& c) {
  return fmt::format("{} was {} in {}", Name(c.measure), Say(c.expect, Quantity(c.measure)), When(c.window));
}
std::string Line(const MetricChange& c) {
  return Moved(c.measure, c.window, c.baseline, c.direction, c.factor, c.difference, c.against);
}
std::string Line(const BehaviorShift& c) {
  return Moved(c.measure, c.window, c.baseline, c.direction, c.factor, c.difference, c.against) +
         ", like questions compared";
}
std::string Line(const Onset& c) {
  return fmt::format("{} moved at {} ± {}", Name(c.measure), FormatTime(c.at), FormatDuration(c.tolerance));
}
std::string Line(const ChangePrecedes& c) {
  const std::string what =
      c.incident.empty() ? Name(*c.measure) + " moved" : "incident " + Printable(c.incident, 40) + " began";
  const std::string lag = c.max_lag.ns > 0 ? fmt::format(", by at most {}", FormatDuration(c.max_lag)) : "";
  return fmt::format("change {} came before {}{}", Printable(c.change, 60), what, lag);
}
std::string Line(const LogTemplate& c) {
  const std::string what = c.text.empty() ? "of template " + Printable(c.template_id, 32)
                                          : fmt::format("containing \"{}\"", Printable(c.text));
  const std::string whose = c.service.empty() ? "" : " from " + Printable(c.service, 60);
  static constexpr std::pair<std::string_view, std::string_view> kStates[] = {
      {"new", "appeared"},       {"vanished", "vanished"}, {"more", "became more"},
      {"fewer", "became fewer"}, {"present", "are there"}, {"absent", "are not there"}};
  std::string_view state;
  for (const auto& [word, said] : kStates) {
    if (word == c.state) state = said;
  }
  std::string out = fmt::format("log lines {}{} {} in {}", what, whose, state, When(c.window));
  if (c.baseline) out += " against " + When(*c.baseline);
  if (c.factor) out += fmt::format(", to {} times", Say(*c.factor, ""));
  return out;
}
std::string Line(const TracePath& c) {
  std::string path;
  for (const auto& service : c.path) path += (path.empty() ? "" : " → ") + Printable(service, 60);
  const char* how = !c.failed ? "" : *c.failed ? " and fail there" : " and succeed there";
  return fmt::format("{} traces go {}{} in {}", Say(c.expect, ""), path, how, When(c.window));
}
std::string Line(const ErrorPropagation& c) {
  return fmt::format("{} of the failed traces of {} fail in {} too, in {}", Say(c.expect, "share"),
                     Printable(c.service, 60), Printable(c.callee, 60), When(c.window));
}
std::string Line(const IdentifierUnsupported& c) {
  return fmt::format("the answer in trace {} names \"{}\", which nothing it was given contains",
                     Printable(c.trace_id, 40), Printable(c.identifier));
}
std::string Line(const Prevalence& c) {
  return fmt::format("{} of {} have {}, in {}", Say(c.expect, "share"),
                     Scope("generations", c.service, c.where), Where(c.match), When(c.window));
}
std::string Line(const Equivalence& c) {
  return fmt::format("{} in {} is within ± {} of {}", Name(c.measure), When(c.window),
                     FormatQuantity(c.delta, Quantity(c.measure)), When(c.baseline));
}
std::string Line(const AlertFiring& c) {
  return fmt::format("{} alert with {} fired in {}", c.firing ? "an" : "no", Where(c.labels), When(c.window));
}
std::string Line(const RecordCount& c) {
  return fmt::format("there are {} {} in {}", Say(c.expect, ""), Scope(c.of, c.service, c.where),
                     When(c.window));
}
std::string Line(const Exists& c) {
  return fmt::format("there are {}{} in {}", c.exists ? "" : "no ", Scope(c.of, c.service, c.where),
                     When(c.window));
}
std::string Line(const Concentration& c) {
  return fmt::format("{} of {} with {} have {}, more than others, in {}", Say(c.expect, "share"),
                     Scope(c.of, c.service, {}), Where(c.bad), Where(c.have), When(c.window));
}

}  // namespace

std::string Printable(std::string_view text, size_t most) {
  std::string out;
  for (const char c : text.substr(0, most * 2)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7f ? ' ' : c == '"' ? '\'' : c;
  }
  if (out.size() <= most) return out;
  size_t cut = most;
  while (cut > 0 && (static_cast<unsigned char>(out[cut]) & 0xc0U) == 0x80U) --cut;
  return out.substr(0, cut) + "…";
}

std::string FormatQuantity(double value, std::string_view quantity) {
  if (quantity == "share" && std::isfinite(value)) return fmt::format("{:.3g} %", value * 100);
  if (quantity == "ms" && std::isfinite(value)) return Plain(value) + " ms";
  if (quantity == "usd") return "$" + Plain(value);
  return Plain(value);
}

std::string FormatWithInterval(double value, const std::optional<stats::Interval>& interval,
                               std::string_view quantity) {
  const std::string plain = FormatQuantity(value, quantity);
  if (!interval) return plain;
  return fmt::format("{} [{}, {}]", plain, FormatQuantity(interval->low, quantity),
                     FormatQuantity(interval->high, quantity));
}

std::string RenderClaim(const Claim& claim) {
  return std::visit([](const auto& c) { return Line(c); }, claim);
}

}  // namespace tocsin::claims
