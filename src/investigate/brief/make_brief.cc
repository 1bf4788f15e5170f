#include "investigate/brief/make_brief.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "claims/claim_json.h"
#include "claims/claim_text.h"
#include "investigate/brief/triage.h"

namespace tocsin::investigate {
namespace {

using claims::Claim;
using claims::Verdict;

// Which surface a kind of recorded change touches.
std::string SurfaceOfChange(const std::string& kind) {
  if (kind == "prompt" || kind == "model" || kind == "data") return kind;
  if (kind == "provider") return "model";
  return kind == "index" ? "retrieval" : "dependency";
}

class Maker {
 public:
  Maker(const ContextPack& pack, store::TelemetryStore& telemetry, claims::Verifier& verifier,
        const BriefOptions& options)
      : pack_(pack), telemetry_(telemetry), verifier_(verifier), options_(options) {
    brief_.incident = pack.incident.id.value;
    brief_.title = pack.incident.title;
    brief_.made = brief_.as_of = options.now;
  }

  Brief Make(const RootCauseRanking* ranking) {
    for (const auto& section : pack_.sections) Section(section);
    Surfaces();
    Changes();
    if (ranking != nullptr) Services(*ranking);
    for (const auto& runbook : pack_.runbooks)
      brief_.runbooks.push_back(runbook.url.empty() ? runbook.title : runbook.url);
    for (auto& h : brief_.hypotheses) JudgeHypothesis(brief_, h);
    OrderHypotheses(brief_);
    size_t kept = 0;
    std::erase_if(brief_.hypotheses, [&](const Hypothesis& h) {
      return h.standing != "refuted" && ++kept > options_.max_causes;
    });
    brief_.abstains = std::ranges::none_of(brief_.hypotheses,
                                           [](const Hypothesis& h) { return h.standing == "supported"; });
    brief_.no_fault = brief_.abstains && ranking != nullptr && !ranking->fault;
    brief_.seconds = Elapsed();
    return std::move(brief_);
  }

 private:
  double Elapsed() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

  // The line of this claim; one claim has one line.
  std::optional<size_t> Check(const std::string& section, const Claim& claim, const std::string& note = "") {
    const std::string id = claims::ClaimIdOf(claim);
    if (const auto it = lines_.find(id); it != lines_.end()) return it->second;
    if (lines_.size() >= options_.max_claims || Elapsed() > options_.budget.seconds()) {
      BriefLine line;
      line.section = section;
      line.part = BriefPart::kUnchecked;
      line.text = claims::RenderClaim(claim);
      line.claim = claim;
      line.verdict.why = "not run: the brief's time or number of claims was used up";
      brief_.lines.push_back(std::move(line));
    } else {
      brief_.lines.push_back(CheckLine(verifier_, section, claim, "tocsin"));
    }
    brief_.lines.back().note = note;
    lines_[id] = brief_.lines.size() - 1;
    return brief_.lines.size() - 1;
  }

  void Section(const ContextSection& section) {
    if (!section.not_looked_at.empty())
      brief_.not_looked_at.push_back(fmt::format("{}: {}", section.name, section.not_looked_at));
    for (const auto& line : section.lines) {
      if (line.claim) {
        Check(section.name, *line.claim, line.note);
        continue;
      }
      // Without a claim it is Tocsin's own record, or a heading of what follows.
      BriefLine recorded;
      recorded.section = section.name;
      recorded.part = BriefPart::kRecorded;
      recorded.text = claims::Printable(line.text, 300);
      recorded.note = line.note;
      brief_.lines.push_back(std::move(recorded));
    }
  }

  Hypothesis& About(const std::string& surface, const std::string& cause) {
    for (auto& h : brief_.hypotheses) {
      if (h.surface == surface && h.cause == cause) return h;
    }
    Hypothesis h;
    h.surface = surface;
    h.cause = cause;
    brief_.hypotheses.push_back(std::move(h));
    return brief_.hypotheses.back();
  }

  void Surfaces() {
    std::map<std::string, std::vector<size_t>> against;
    const auto triage = TriageFeature(pack_, telemetry_);
    double order = 20;
    for (const auto& t : triage) {
      const auto line = Check("causes", t.claim);
      if (!line) continue;
      if (!t.speaks_for) {
        against[t.surface].push_back(*line);
        continue;
      }
      auto& h = About(t.surface, t.cause);
      h.supporting.push_back(*line);
      h.score = std::max(h.score, order);
      order -= 1;
    }
    // What the data show not to have moved is said once, as a refuted surface.
    for (const auto& [surface, lines] : against) {
      const bool has = std::ranges::any_of(brief_.hypotheses, [&](const Hypothesis& h) {
        return h.surface == surface && h.supporting.size() > 1;
      });
      if (has) continue;
      auto& h = About(surface, fmt::format("a change of the {}, as far as it is recorded", surface));
      h.against = lines;
    }
    Remains(against);
    // Of what was only asked, keep what holds.
    std::erase_if(brief_.hypotheses, [&](const Hypothesis& h) {
      return h.against.empty() && std::ranges::none_of(h.supporting, [&](size_t i) {
               return brief_.lines[i].part == BriefPart::kProven;
             });
    });
  }

  // Answers changed, nothing that was recorded did: then, and only then, it is the model behind its name.
  void Remains(const std::map<std::string, std::vector<size_t>>& against) {
    std::vector<size_t> shifts, others;
    for (size_t i = 0; i < brief_.lines.size(); ++i) {
      const auto& line = brief_.lines[i];
      if (line.part == BriefPart::kProven && line.claim &&
          std::holds_alternative<claims::BehaviorShift>(*line.claim))
        shifts.push_back(i);
    }
    for (const char* surface : {"prompt", "model"}) {
      const auto it = against.find(surface);
      if (it == against.end()) return;  // not recorded: it cannot be told
      for (const size_t i : it->second) {
        if (brief_.lines[i].part != BriefPart::kProven) return;
        others.push_back(i);
      }
    }
    const bool moved = std::ranges::any_of(brief_.hypotheses, [&](const Hypothesis& h) {
      return h.surface != "traffic" && std::ranges::any_of(h.supporting, [&](size_t i) {
               return brief_.lines[i].part == BriefPart::kProven;
             });
    });
    if (moved || shifts.empty()) return;
    std::erase_if(brief_.hypotheses, [](const Hypothesis& h) { return h.surface == "model"; });
    auto& h =
        About("model", "the model behind the same name answers differently: no other recorded surface moved");
    h.supporting = shifts;
    h.supporting.insert(h.supporting.end(), others.begin(), others.end());
    h.score = 15;
  }

  void Changes() {
    for (const auto& change : pack_.changes) {
      claims::ChangePrecedes claim;
      claim.change = change.id;
      claim.incident = pack_.incident.id.value;
      const auto line = Check("changes", claim);
      if (!line) continue;
      auto& h =
          About(SurfaceOfChange(change.kind),
                fmt::format("{} of {} at {}{}", change.kind,
                            claims::Printable(change.subject.empty() ? change.service : change.subject, 60),
                            FormatTime(change.time), change.in_scope ? "" : ", elsewhere"));
      h.supporting.push_back(*line);
      if (change.refuted) h.against.push_back(*line);
      if (change.in_scope && !change.refuted) {
        const std::string& service = change.service.empty() ? pack_.incident.service : change.service;
        for (size_t i = 0; i < brief_.lines.size(); ++i) {
          if (brief_.lines[i].claim && brief_.lines[i].part == BriefPart::kProven &&
              Names(*brief_.lines[i].claim, service) && Moved(*brief_.lines[i].claim))
            h.supporting.push_back(i);
        }
      }
      // Minutes before it counts, days before it does not.
      const double minutes = std::max(0.0, change.lag.seconds() / 60);
      h.score = (change.in_scope ? 30.0 : 5.0) / (1 + minutes / 30);
    }
  }

  void Services(const RootCauseRanking& ranking) {
    if (!ranking.fault) return;
    size_t kept = 0;
    for (const auto& cause : ranking.causes) {
      if (cause.score <= 0 || ++kept > options_.max_causes) break;
      auto& h = About(cause.surface.empty() ? "dependency" : cause.surface,
                      fmt::format("{} broke first", claims::Printable(cause.service, 60)));
      h.score = 10 + cause.score;
      for (size_t i = 0; i < brief_.lines.size(); ++i) {
        const auto& claim = brief_.lines[i].claim;
        if (claim && Names(*claim, cause.service) && Moved(*claim)) h.supporting.push_back(i);
      }
    }
  }

  // The claim is about this service and nothing wider.
  static bool Names(const Claim& claim, const std::string& service) {
    return std::visit(
        [&](const auto& c) {
          if constexpr (requires { c.measure.service; }) {
            return c.measure.service == service;
          } else if constexpr (requires { c.service; }) {
            return c.service == service;
          } else {
            return false;
          }
        },
        claim);
  }

  // It says that something is not as before.
  static bool Moved(const Claim& claim) {
    return std::holds_alternative<claims::MetricChange>(claim) ||
           std::holds_alternative<claims::BehaviorShift>(claim) ||
           std::holds_alternative<claims::LogTemplate>(claim) || std::holds_alternative<claims::Onset>(claim);
  }

  const ContextPack& pack_;
  store::TelemetryStore& telemetry_;
  claims::Verifier& verifier_;
  BriefOptions options_;
  Brief brief_;
  std::map<std::string, size_t> lines_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace

BriefLine CheckLine(claims::Verifier& verifier, std::string section, Claim claim, std::string by) {
  BriefLine line;
  line.section = std::move(section);
  line.by = std::move(by);
  line.verdict = verifier.Check(claim);
  line.text = claims::RenderClaim(claim);
  switch (line.verdict.kind) {
    case Verdict::Kind::kVerified:
      line.part = BriefPart::kProven;
      break;
    case Verdict::Kind::kRefuted:
      line.part = BriefPart::kRefuted;
      break;
    default:
      line.part = BriefPart::kUnchecked;
  }
  line.claim = std::move(claim);
  return line;
}

void JudgeHypothesis(const Brief& brief, Hypothesis& h) {
  const auto part = [&](size_t i) { return brief.lines[i].part; };
  const auto proven = [&](size_t i) { return part(i) == BriefPart::kProven; };
  const auto refuted = [&](size_t i) { return part(i) == BriefPart::kRefuted; };
  if (std::ranges::any_of(h.against, proven) ||
      (!h.supporting.empty() && std::ranges::all_of(h.supporting, refuted))) {
    h.standing = "refuted";
  } else {
    // That something came before is not yet a reason.
    const auto shows = [&](size_t i) {
      return proven(i) && !std::holds_alternative<claims::ChangePrecedes>(*brief.lines[i].claim);
    };
    h.standing = std::ranges::any_of(h.supporting, shows) ? "supported" : "open";
  }
}

void OrderHypotheses(Brief& brief) {
  const auto rank = [](const Hypothesis& h) {
    return h.standing == "supported" ? 0 : h.standing == "open" ? 1 : 2;
  };
  std::ranges::stable_sort(brief.hypotheses, [&](const Hypothesis& a, const Hypothesis& b) {
    return rank(a) != rank(b) ? rank(a) < rank(b) : a.score > b.score;
  });
}

Brief MakeBrief(const ContextPack& pack, const RootCauseRanking* ranking, store::TelemetryStore& telemetry,
                claims::Verifier& verifier, const BriefOptions& options) {
  return Maker(pack, telemetry, verifier, options).Make(ranking);
}

}  // namespace tocsin::investigate
