// What answers do differently: what the monitors saw, as the incident holds it, and the numbers of answers
// before and since.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "claims/claim_text.h"
#include "detect/behavior_source.h"
#include "investigate/context/internal/gather.h"
#include "respond/json_text.h"

namespace tocsin::investigate::internal {
namespace {

using claims::FormatQuantity;
using claims::Printable;
using respond::JsonList;
using respond::JsonText;

constexpr size_t kMaxLines = 40;
constexpr uint64_t kEnough = 20;

double JsonNumber(const nlohmann::json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number() ? it->get<double>() : 0;
}

uint64_t JsonCount(const nlohmann::json& object, const char* key) {
  return static_cast<uint64_t>(std::clamp(JsonNumber(object, key), 0.0, 1e15));
}

claims::Measure GenerationMeasure(const std::string& service, const std::string& value,
                                  const char* statistic) {
  claims::Measure m;
  m.of = "generations";
  m.value = value;
  m.statistic = statistic;
  m.service = service;
  return m;
}

// A stream is of a prompt, or of an agent: which, the incident does not say.
std::vector<claims::Condition> StreamCondition(Gather& g) {
  const auto stream = g.document.find("stream");
  const std::string feature = stream == g.document.end() ? "" : JsonText(*stream, "feature");
  if (feature.empty() || !g.has_window()) return {};
  for (const char* field : {"prompt_name", "agent"}) {
    const auto rows =
        g.Ask(fmt::format("SELECT count(*) FROM generations WHERE {} AND service = ? AND {} = ?",
                          g.InWindows(), field),
              {g.pack.incident.service, feature}, 1);
    if (rows && !rows->rows.empty() && Count(rows->rows[0][0]) > 0) return {{field, "is", feature}};
  }
  return {};
}

// What is learned, and recorded facts, have no measure of their own.
std::optional<claims::Claim> ShiftClaim(const Gather& g, const BehaviorChange& c,
                                        const std::vector<claims::Condition>& where) {
  if (!g.has_window() || !g.has_baseline() || c.before == c.after) return std::nullopt;
  if (detect::BehaviorWords(c.what, true).empty()) return std::nullopt;
  claims::BehaviorShift claim;
  claim.measure = GenerationMeasure(g.pack.incident.service, c.what, "mean");
  claim.measure.where = where;
  claim.window = g.pack.windows.window;
  claim.baseline = g.pack.windows.baseline;
  claim.direction = c.after > c.before ? "up" : "down";
  return claim;
}

void DocumentLines(Gather& g) {
  auto& section = g.Section("behavior");
  const auto where = StreamCondition(g);
  for (const auto& l : JsonList(g.document, "lines")) {
    if (g.pack.behavior.size() == kMaxLines) break;
    BehaviorChange c;
    c.what = Kept(JsonText(l, "monitor"));
    c.words = Kept(JsonText(l, "words"));
    c.unit = Kept(JsonText(l, "unit"));
    c.before = JsonNumber(l, "before");
    c.after = JsonNumber(l, "after");
    c.before_n = JsonCount(l, "before_n");
    c.after_n = JsonCount(l, "after_n");
    c.score = JsonNumber(l, "log_e_value");
    ContextLine line;
    line.text = c.words.empty() ? c.what : c.words;
    if (c.what != "learned") line.text += ": " + FromTo(c.before, c.after, c.unit);
    line.weight = 100 + c.score;
    line.claim = ShiftClaim(g, c, where);
    section.lines.push_back(std::move(line));
    g.pack.behavior.push_back(std::move(c));
  }
  for (const auto& c : JsonList(g.document, "contrast")) {
    const std::string verdict = JsonText(c, "verdict");
    if (verdict != "moved" && verdict != "partly") continue;
    section.lines.push_back({Printable(JsonText(c, "words"), 200), std::nullopt, 50, ""});
  }
  for (const auto& s : JsonList(g.document, "segments")) {
    const auto changed = s.find("changed");
    if (changed == s.end() || !changed->is_boolean() || !changed->get<bool>()) continue;
    section.lines.push_back(
        {fmt::format("{} = {}: {} {}", Printable(JsonText(s, "attribute"), 40),
                     Printable(JsonText(s, "value"), 60), Printable(JsonText(s, "feature"), 60),
                     FromTo(JsonNumber(s, "before"), JsonNumber(s, "after"), JsonText(s, "unit"))),
         std::nullopt, 40, ""});
  }
}

// A number of a generation: of which column, and how it is called in claims.
struct Column {
  const char* value;
  const char* words;
  const char* unit;
};
constexpr std::array<Column, 4> kColumns{{{"latency_ms", "time an answer takes", "ms"},
                                          {"output_tokens", "tokens of an answer", "tokens"},
                                          {"input_tokens", "tokens of a request", "tokens"},
                                          {"cost_usd", "cost of an answer", "usd"}}};

void ColumnLine(Gather& g, const std::string& service, const Column& column, const double before[3],
                const double after[3], uint64_t before_n, uint64_t after_n) {
  // Median and quartiles: [0] the median, [1] and [2] the quartiles.
  if (before_n < kEnough || after_n < kEnough || before[0] <= 0) return;
  const double spread = std::max((before[2] - before[1]) / 1.349, 0.02 * before[0]);
  const double n = static_cast<double>(std::min(before_n, after_n));
  const double moved = after[0] - before[0];
  // Beyond chance, and by a fifth at least: less would not be worth a line.
  if (std::abs(moved) < 0.2 * before[0] || std::abs(moved) * std::sqrt(n) < 5 * spread) return;
  BehaviorChange c{column.value, column.words, column.unit, before[0],
                   after[0],     before_n,     after_n,     std::abs(moved) / spread};
  ContextLine line;
  line.text = fmt::format("{}: {}: {} (median)", Printable(service, 60), column.words,
                          FromTo(before[0], after[0], column.unit));
  claims::MetricChange claim{GenerationMeasure(service, column.value, "median"),
                             g.pack.windows.window,
                             g.pack.windows.baseline,
                             moved > 0 ? "up" : "down",
                             std::nullopt,
                             std::nullopt,
                             {}};
  claim.factor =
      moved > 0 ? AtLeastFactor(after[0] / before[0], false) : AtMostFactor(after[0] / before[0], false);
  line.claim = std::move(claim);
  line.weight = c.score;
  g.Section("behavior").lines.push_back(std::move(line));
  g.pack.behavior.push_back(std::move(c));
}

void ErrorLine(Gather& g, const std::string& service, uint64_t bad_before, uint64_t before,
               uint64_t bad_after, uint64_t after) {
  if (!ClearlyMoved(bad_before, before, bad_after, after)) return;
  const double a = Ratio(bad_before, before), b = Ratio(bad_after, after);
  BehaviorChange c{
      "error", "calls of the model that fail", "share", a, b, before, after, 20 * std::abs(b - a)};
  claims::MetricChange claim{GenerationMeasure(service, "error", "share"),
                             g.pack.windows.window,
                             g.pack.windows.baseline,
                             b > a ? "up" : "down",
                             std::nullopt,
                             std::nullopt,
                             {}};
  claims::Bounds bounds;
  (b > a ? bounds.low : bounds.high) = (b - a) * 0.9;
  claim.difference = bounds;
  g.Section("behavior")
      .lines.push_back({fmt::format("{}: {}: {}", Printable(service, 60), c.words, FromTo(a, b, "share")),
                        std::move(claim), c.score, ""});
  g.pack.behavior.push_back(std::move(c));
}

Status ColumnLines(Gather& g) {
  const auto services = g.AffectedServices();
  if (services.empty()) return {};
  const auto& d = g.sources.dialect;
  std::string columns;
  for (const char* x : {"duration_ns / 1e6", "output_tokens", "input_tokens", "cost_usd"})
    for (const double q : {0.5, 0.25, 0.75}) columns += ", " + d.Quantile(x, q);
  std::vector<store::SqlValue> values;
  const std::string marks = Marks(services, values);
  TOCSIN_ASSIGN_OR_RETURN(
      const auto rows,
      g.Ask(fmt::format(
                "SELECT service, {} AS phase, count(*), {}{} FROM generations WHERE {} AND service IN ({}) "
                "GROUP BY service, phase ORDER BY service, phase",
                g.Phase(), d.CountIf("error_type <> '' OR coalesce(http_status, 0) >= 400"), columns,
                g.InWindows(), marks),
            values, 2 * services.size()));
  for (size_t i = 0; i + 1 < rows.rows.size(); ++i) {
    const auto& b = rows.rows[i];
    const auto& a = rows.rows[i + 1];
    if (Text(a[0]) != Text(b[0]) || Whole(b[1]) != 0 || Whole(a[1]) != 1) continue;
    for (size_t c = 0; c < kColumns.size(); ++c) {
      double before[3], after[3];
      for (size_t q = 0; q < 3; ++q) {
        before[q] = Number(b[4 + c * 3 + q]);
        after[q] = Number(a[4 + c * 3 + q]);
      }
      ColumnLine(g, Text(a[0]), kColumns[c], before, after, Count(b[2]), Count(a[2]));
    }
    ErrorLine(g, Text(a[0]), Count(b[3]), Count(b[2]), Count(a[3]), Count(a[2]));
  }
  return {};
}

}  // namespace

Status GatherBehavior(Gather& g) {
  DocumentLines(g);
  const Status ready = NeedsBoth(g);
  const Status columns = ready.ok() ? ColumnLines(g) : ready;
  auto& section = g.Section("behavior");
  Settle(section, g.options.max_lines);
  // What the monitors saw stands without the rest.
  return section.lines.empty() ? columns : Status();
}

}  // namespace tocsin::investigate::internal
