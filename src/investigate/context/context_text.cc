#include <fmt/format.h>

#include <algorithm>

#include "claims/claim_text.h"
#include "investigate/context/context_render.h"
#include "respond/render_text.h"

namespace tocsin::investigate {
namespace {

struct Heading {
  std::string_view section, words;
  size_t lines;  // of it that a page shows, at most
};
constexpr Heading kHeadings[] = {
    {"onset", "WHEN", 2},
    {"affected", "WHAT IS AFFECTED", 7},
    {"changes", "CHANGES AROUND IT", 6},
    {"logs", "LOGS", 6},
    {"calls", "WHO CALLS WHOM", 6},
    {"metrics", "METRICS THAT MOVED", 6},
    {"behavior", "ANSWERS", 5},
    {"alerts", "ALERTS", 4},
    {"exemplars", "TRACES TO OPEN", 3},
    {"similar", "SEEN BEFORE", 3},
    {"runbooks", "RUNBOOKS", 3},
    {"people", "WHO HAS IT", 3},
};
constexpr size_t kShortest = 20;  // columns

std::string NotLookedAt(const ContextPack& pack) {
  std::string out;
  for (const auto& s : pack.sections) {
    if (!s.not_looked_at.empty())
      out +=
          fmt::format("{}{} ({})", out.empty() ? "" : "; ", s.name, claims::Printable(s.not_looked_at, 90));
  }
  return out;
}

void Append(std::vector<std::string>& page, std::string_view wrapped) {
  while (!wrapped.empty()) {
    const size_t end = wrapped.find('\n');
    page.emplace_back(wrapped.substr(0, end));
    wrapped = end == std::string_view::npos ? std::string_view() : wrapped.substr(end + 1);
  }
}

std::vector<std::string> SectionLines(const ContextSection& section, const Heading& heading, size_t columns) {
  std::vector<std::string> out;
  if (section.lines.empty()) return out;
  std::string name(heading.words);
  if (!section.sampled.empty()) name += fmt::format(" (from {})", section.sampled);
  out.push_back(std::move(name));
  size_t shown = 0;
  for (const auto& line : section.lines) {
    if (shown++ == heading.lines) break;
    const std::string text = line.note.empty() ? line.text : fmt::format("{} [{}]", line.text, line.note);
    Append(out, respond::Wrap(text, columns, "  ", 4));
  }
  const size_t more = section.lines.size() - std::min(section.lines.size(), heading.lines);
  if (more > 0 || section.cut)
    out.push_back(more > 0 ? fmt::format("  … and {} more{}", more, section.cut ? " at least" : "")
                           : "  … and more");
  return out;
}

}  // namespace

std::string RenderContext(const ContextPack& pack, size_t columns) {
  columns = std::max(columns, kShortest);
  std::vector<std::string> page;
  Append(page, respond::Wrap(fmt::format("{}  {}  {}: {}", pack.incident.id.value, pack.incident.severity,
                                         pack.incident.state, claims::Printable(pack.incident.title, 200)),
                             columns, "", 2));
  const std::string missing = NotLookedAt(pack);
  std::vector<std::string> foot;
  if (!missing.empty()) Append(foot, respond::Wrap("Not looked at: " + missing, columns, "", 2));
  foot.push_back(
      fmt::format("Gathered at {} in {:.1f} s. Times are UTC.", FormatTime(pack.built), pack.seconds));
  for (const Heading& heading : kHeadings) {
    const ContextSection* section = pack.Find(heading.section);
    if (section == nullptr) continue;
    const auto lines = SectionLines(*section, heading, columns);
    if (lines.empty()) continue;
    // The most important stand first: what does not fit any more is named at the end.
    if (page.size() + 1 + lines.size() + foot.size() + 1 > kContextPageLines) {
      foot.insert(foot.begin(), fmt::format("Not shown for length: {}", heading.section));
      if (page.size() + foot.size() + 2 > kContextPageLines) break;
      continue;
    }
    page.emplace_back();
    page.insert(page.end(), lines.begin(), lines.end());
  }
  page.emplace_back();
  page.insert(page.end(), foot.begin(), foot.end());
  if (page.size() > kContextPageLines) page.resize(kContextPageLines);
  std::string out;
  for (const auto& line : page) out += line + "\n";
  return out;
}

}  // namespace tocsin::investigate
