// How often an investigator names the right cause of recorded incidents, and how often it names a forbidden
// one.
//
// The rule is that of the OpenSRE synthetic suites (Apache-2.0): texts are compared lower-cased with white
// space collapsed. A case is right when the category equals the key's and every required keyword occurs in
// the conclusion; a forbidden conclusion was drawn when the category is among the forbidden ones or a
// forbidden keyword occurs. `passed` is both, and the required sources were read: the suite's own pass.
// `strict` asks for the ruling-out keywords too. The answer is read after the conclusion has been drawn, from
// another file.
//
// An investigator is any function from evidence to a conclusion: the deterministic catalogue, or a model
// behind it. Errors: kNotFound (no folder with answer.yml below DIR), those of the reader. Deterministic for
// a deterministic investigator; cases in the order of their paths.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "investigate/diagnosis/evidence.h"
#include "kernel/status.h"

namespace tocsin::investigate {

struct Conclusion {
  std::string category{};
  std::string mode{};
  std::string text{};  // all that the investigator says
  double confidence = 0;
};
using CaseInvestigator = std::function<Result<Conclusion>(const Evidence&)>;

// Diagnose and RenderDiagnosis.
Result<Conclusion> CatalogueInvestigator(const Evidence& evidence);

struct AnswerKey {
  std::string category{};
  std::vector<std::string> required, ruling_out, forbidden_categories, forbidden_keywords, sources;
};
Result<AnswerKey> ReadOpensreAnswer(const std::string& folder);

struct CaseScore {
  std::string name{};
  std::string expected{}, concluded{}, mode{};
  std::vector<std::string> missing{}, missing_ruling_out{}, forbidden{};
  bool right_category = false, right_cause = false, passed = false, strict = false;
  bool healthy = false;  // nothing failed in this case
  double confidence = 0;
  std::string text{};
};
CaseScore ScoreConclusion(const Conclusion& conclusion, const AnswerKey& key, const Evidence& evidence);

struct InvestigationScore {
  std::vector<CaseScore> cases;
  size_t right_category = 0, right_cause = 0, passed = 0, strict = 0, forbidden = 0;
  size_t healthy_cases = 0, healthy_left_alone = 0;
};
// Every folder at or below `root` (four levels) that holds an answer.yml.
Result<InvestigationScore> EvaluateOpensre(const std::string& root, const CaseInvestigator& investigator);

}  // namespace tocsin::investigate
