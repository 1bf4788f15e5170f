// The brief as one page of text, most important first.
#include <fmt/format.h>

#include <algorithm>

#include "claims/claim_text.h"
#include "investigate/brief/brief.h"

namespace tocsin::investigate {
namespace {

class Page {
 public:
  explicit Page(size_t most) : most_(most) {}
  void Add(std::string line) {
    if (lines_.size() < most_)
      lines_.push_back(std::move(line));
    else
      ++left_;
  }
  std::string Text() && {
    std::string out;
    for (const auto& line : lines_) out += line + '\n';
    if (left_ > 0) out += fmt::format("({} more lines: --json)\n", left_);
    return out;
  }

 private:
  size_t most_, left_ = 0;
  std::vector<std::string> lines_;
};

void AddLine(Page& page, const char* mark, const BriefLine& line) {
  page.Add(fmt::format("  {} {}{}", mark, line.text,
                       line.by == "tocsin" ? "" : fmt::format("  ({})", claims::Printable(line.by, 40))));
  std::string why = line.claim ? line.verdict.why : "";
  if (!line.note.empty()) why = why.empty() ? line.note : why + "; " + line.note;
  if (!why.empty()) page.Add("      " + claims::Printable(why, 200));
}

void AddPart(Page& page, const Brief& b, BriefPart part, const char* heading, const char* mark) {
  if (std::ranges::none_of(b.lines, [&](const BriefLine& l) { return l.part == part; })) return;
  page.Add("");
  page.Add(heading);
  size_t asked = 0;
  for (const auto& line : b.lines) {
    if (line.part != part) continue;
    // Questions asked of every surface whose answer is "not clearly" are one line, not a page.
    if (part == BriefPart::kUnchecked && line.section == "causes") {
      ++asked;
    } else {
      AddLine(page, mark, line);
    }
  }
  if (asked > 0)
    page.Add(fmt::format(
        "  {} {} questions to retrieval, tools and the like: none clearly moved (--json has them)", mark,
        asked));
}

void AddCauses(Page& page, const Brief& b) {
  page.Add("");
  if (b.no_fault) page.Add("No cause was found: nothing else that was looked at moved beyond chance.");
  if (b.abstains && !b.no_fault) page.Add("No cause is proven. What was considered:");
  if (!b.abstains) page.Add("Likeliest causes");
  size_t number = 0;
  for (const auto& h : b.hypotheses) {
    page.Add(fmt::format("  {}. [{}] {}: {}{}", ++number, h.standing, h.surface,
                         claims::Printable(h.cause, 120),
                         h.by == "tocsin" ? "" : fmt::format("  ({})", claims::Printable(h.by, 40))));
    const auto some = [&](const char* word, const std::vector<size_t>& indexes) {
      size_t shown = 0;
      for (const size_t i : indexes) {
        if (++shown > 3) break;
        page.Add(fmt::format("       {} ({}) {}", word, BriefPartName(b.lines[i].part), b.lines[i].text));
      }
    };
    some("for", h.supporting);
    some("against", h.against);
  }
}

}  // namespace

std::string RenderBrief(const Brief& b, size_t most_lines) {
  Page page(most_lines);
  const auto count = [&](BriefPart part) { return std::ranges::count(b.lines, part, &BriefLine::part); };
  page.Add(fmt::format("{}  {}", b.incident, claims::Printable(b.title, 120)));
  page.Add(fmt::format("as of {}, made in {:.1f} s: {} proven, {} refuted, {} could not be checked",
                       FormatTimeForPeople(b.as_of), b.seconds, count(BriefPart::kProven),
                       count(BriefPart::kRefuted), count(BriefPart::kUnchecked)));
  AddCauses(page, b);
  AddPart(page, b, BriefPart::kProven, "Proven: run again just now, and it holds", "+");
  for (const auto& runbook : b.runbooks) page.Add("  runbook: " + claims::Printable(runbook, 200));
  AddPart(page, b, BriefPart::kRecorded, "On record", "·");
  AddPart(page, b, BriefPart::kUnchecked, "Could not be checked", "?");
  AddPart(page, b, BriefPart::kRefuted, "Refuted: stated, run, and not so", "-");
  AddPart(page, b, BriefPart::kProse, "Unverified words of a model: no claim stands behind them", "\"");
  if (!b.model.outcome.empty())
    page.Add(fmt::format("\nmodel {}: {} ({} calls, {} tokens, ${:.4f}, {:.1f} s) {}",
                         claims::Printable(b.model.model, 60), b.model.outcome, b.model.calls,
                         b.model.input_tokens + b.model.output_tokens, b.model.cost_usd, b.model.seconds,
                         claims::Printable(b.model.detail, 200)));
  if (!b.not_looked_at.empty()) page.Add("");
  for (const auto& what : b.not_looked_at) page.Add("not looked at: " + claims::Printable(what, 200));
  return std::move(page).Text();
}

}  // namespace tocsin::investigate
