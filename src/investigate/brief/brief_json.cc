#include <algorithm>
#include <array>

#include "claims/claim_json.h"
#include "investigate/brief/brief.h"

namespace tocsin::investigate {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::array<std::string_view, 5> kParts{"proven", "refuted", "unchecked", "recorded", "prose"};

ordered_json ToJson(const BriefLine& line) {
  ordered_json out{
      {"section", line.section}, {"part", BriefPartName(line.part)}, {"text", line.text}, {"by", line.by}};
  if (!line.note.empty()) out["note"] = line.note;
  if (line.claim) {
    out["claim_id"] = claims::ClaimIdOf(*line.claim);
    out["claim"] = claims::WriteClaim(*line.claim);
    out["verdict"] = claims::WriteVerdict(line.verdict);
  }
  return out;
}

ordered_json ToJson(const Hypothesis& h) {
  return {{"surface", h.surface}, {"cause", h.cause},           {"standing", h.standing}, {"by", h.by},
          {"score", h.score},     {"supporting", h.supporting}, {"against", h.against}};
}

ordered_json ToJson(const ModelUse& m) {
  return {{"model", m.model},
          {"outcome", m.outcome},
          {"detail", m.detail},
          {"calls", m.calls},
          {"input_tokens", m.input_tokens},
          {"output_tokens", m.output_tokens},
          {"cost_usd", m.cost_usd},
          {"seconds", m.seconds}};
}

BriefLine LineFrom(const json& in) {
  BriefLine line;
  line.section = in.value("section", "");
  line.text = in.value("text", "");
  line.note = in.value("note", "");
  line.by = in.value("by", "tocsin");
  const auto part = std::ranges::find(kParts, in.value("part", "prose"));
  line.part = part == kParts.end() ? BriefPart::kProse : static_cast<BriefPart>(part - kParts.begin());
  if (in.contains("claim")) {
    auto claim = claims::ReadClaim(in["claim"]);
    auto verdict = claims::ReadVerdict(in.value("verdict", json()));
    if (claim && verdict) {
      line.claim = *std::move(claim);
      line.verdict = *std::move(verdict);
    } else {
      // One line that this version cannot run again takes nothing from the others, and is proven no more.
      line.part = BriefPart::kUnchecked;
      line.note = claim ? verdict.error().message() : claim.error().message();
    }
  }
  return line;
}

std::vector<size_t> Indexes(const json& in, size_t lines) {
  std::vector<size_t> out;
  for (const auto& i : in) {
    if (i.is_number_unsigned() && i.get<size_t>() < lines) out.push_back(i.get<size_t>());
  }
  return out;
}

}  // namespace

std::string_view BriefPartName(BriefPart part) { return kParts[static_cast<size_t>(part)]; }

ordered_json BriefToJson(const Brief& b) {
  ordered_json lines = ordered_json::array(), hypotheses = ordered_json::array();
  for (const auto& line : b.lines) lines.push_back(ToJson(line));
  for (const auto& h : b.hypotheses) hypotheses.push_back(ToJson(h));
  return {{"format", 1},
          {"incident", b.incident},
          {"title", b.title},
          {"made", FormatTime(b.made)},
          {"as_of", FormatTime(b.as_of)},
          {"seconds", b.seconds},
          {"no_fault", b.no_fault},
          {"abstains", b.abstains},
          {"hypotheses", std::move(hypotheses)},
          {"lines", std::move(lines)},
          {"not_looked_at", b.not_looked_at},
          {"runbooks", b.runbooks},
          {"model", ToJson(b.model)}};
}

Result<Brief> BriefFromJson(const json& in) {
  try {
    Brief b;
    b.incident = in.at("incident").get<std::string>();
    b.title = in.value("title", "");
    TOCSIN_ASSIGN_OR_RETURN(b.made, ParseTime(in.at("made").get<std::string>()));
    TOCSIN_ASSIGN_OR_RETURN(b.as_of, ParseTime(in.at("as_of").get<std::string>()));
    b.seconds = in.value("seconds", 0.0);
    b.no_fault = in.value("no_fault", false);
    b.abstains = in.value("abstains", false);
    for (const auto& line : in.at("lines")) {
      b.lines.push_back(LineFrom(line));
    }
    for (const auto& h : in.at("hypotheses")) {
      Hypothesis one;
      one.surface = h.value("surface", "");
      one.cause = h.value("cause", "");
      one.standing = h.value("standing", "");
      one.by = h.value("by", "");
      one.score = h.value("score", 0.0);
      one.supporting = Indexes(h.at("supporting"), b.lines.size());
      one.against = Indexes(h.at("against"), b.lines.size());
      b.hypotheses.push_back(std::move(one));
    }
    b.not_looked_at = in.value("not_looked_at", std::vector<std::string>{});
    b.runbooks = in.value("runbooks", std::vector<std::string>{});
    const json model = in.value("model", json::object());
    b.model.model = model.value("model", "");
    b.model.outcome = model.value("outcome", "");
    b.model.detail = model.value("detail", "");
    b.model.calls = model.value("calls", uint64_t{0});
    b.model.input_tokens = model.value("input_tokens", uint64_t{0});
    b.model.output_tokens = model.value("output_tokens", uint64_t{0});
    b.model.cost_usd = model.value("cost_usd", 0.0);
    b.model.seconds = model.value("seconds", 0.0);
    return b;
  } catch (const std::exception&) {
    return tl::unexpected(Status::FromException("reading a brief", Code::kInvalidArgument));
  }
}

}  // namespace tocsin::investigate
