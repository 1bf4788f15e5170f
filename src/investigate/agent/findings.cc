#include "investigate/agent/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "claims/claim_json.h"
#include "claims/claim_text.h"

namespace tocsin::investigate {
namespace {

using nlohmann::json;

constexpr size_t kMaxHypotheses = 5;
constexpr size_t kMaxNotClaims = 20;
constexpr std::array<std::string_view, 9> kSurfaces{"model",   "prompt",    "retrieval",  "tools", "sampling",
                                                    "traffic", "evaluator", "dependency", "data"};

class Reader {
 public:
  explicit Reader(size_t max_claims) : left_(max_claims) {}

  void Claims(const json& in, const std::string& at, std::vector<claims::Claim>& out) {
    if (in.is_null()) return;
    if (!in.is_array()) return NotClaim(at + ": is no list");
    for (size_t i = 0; i < in.size(); ++i) {
      if (left_ == 0) {
        ++findings.dropped;
        continue;
      }
      --left_;
      auto claim = claims::ReadClaim(in[i], fmt::format("{}[{}]", at, i));
      if (claim)
        out.push_back(*std::move(claim));
      else
        NotClaim(claim.error().message());
    }
  }

  void Hypothesis(const json& in, const std::string& at) {
    if (!in.is_object()) return NotClaim(at + ": is no object");
    ProposedHypothesis h;
    h.surface = Word(in, "surface", 40);
    h.cause = Word(in, "cause", 300);
    Claims(in.value("supporting", json()), at + ".supporting", h.supporting);
    Claims(in.value("against", json()), at + ".against", h.against);
    if (std::ranges::find(kSurfaces, h.surface) == kSurfaces.end())
      return NotClaim(at + ".surface: is none of the surfaces");
    findings.hypotheses.push_back(std::move(h));
  }

  static std::string Word(const json& in, const char* key, size_t most) {
    const auto it = in.find(key);
    return it != in.end() && it->is_string() ? claims::Printable(it->get<std::string>(), most) : "";
  }

  Findings findings;

 private:
  void NotClaim(std::string why) {
    if (findings.not_claims.size() < kMaxNotClaims)
      findings.not_claims.push_back(std::move(why));
    else
      ++findings.dropped;
  }
  size_t left_;
};

}  // namespace

Result<Findings> ReadFindings(const json& in, size_t max_claims) {
  if (!in.is_object())
    return tl::unexpected(Status(Code::kInvalidArgument, "the findings are no JSON object"));
  try {
    Reader reader(max_claims);
    const json hypotheses = in.value("hypotheses", json::array());
    if (hypotheses.is_array()) {
      for (size_t i = 0; i < hypotheses.size(); ++i) {
        if (i < kMaxHypotheses)
          reader.Hypothesis(hypotheses[i], fmt::format("hypotheses[{}]", i));
        else
          ++reader.findings.dropped;
      }
    }
    reader.Claims(in.value("statements", json()), "statements", reader.findings.statements);
    reader.findings.summary = Reader::Word(in, "summary", 1200);
    return std::move(reader.findings);
  } catch (const std::exception&) {
    return tl::unexpected(Status::FromException("reading the findings", Code::kInvalidArgument));
  }
}

}  // namespace tocsin::investigate
