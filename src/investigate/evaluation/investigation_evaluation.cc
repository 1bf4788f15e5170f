#include "investigate/evaluation/investigation_evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "investigate/diagnosis/diagnosis.h"
#include "investigate/evaluation/opensre_reader.h"
#include "kernel/ascii.h"
#include "ports/yaml/yaml_value.h"

namespace tocsin::investigate {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostCases = 10'000;

std::string Normalized(std::string_view text) {
  std::string out;
  bool space = false;
  for (const char c : LowerAscii(text)) {
    if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
      space = !out.empty();
      continue;
    }
    if (space) out += ' ';
    space = false;
    out += c;
  }
  return out;
}

std::vector<std::string> NotIn(const std::string& text, const std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (const std::string& w : words)
    if (text.find(Normalized(w)) == std::string::npos) out.push_back(w);
  return out;
}

// The suite's evidence names, as the evidence calls them.
bool WasRead(const std::string& source, const Evidence& e) {
  if (source == "aws_cloudwatch_metrics") return !e.series.empty();
  if (source == "aws_performance_insights") return !e.loads.empty();
  if (source == "aws_rds_events" || source == "eks_events") return e.seen.contains("events");
  if (source == "eks_pods") return e.seen.contains("pods");
  if (source == "eks_deployments") return e.seen.contains("deployments");
  if (source == "eks_node_health") return e.seen.contains("nodes");
  if (source == "eks_pod_logs" || source == "datadog_logs") return e.seen.contains("logs");
  return source == "datadog_monitors" && e.seen.contains("monitors");
}

Result<std::vector<fs::path>> FindCases(const fs::path& root) {
  std::vector<fs::path> out;
  std::error_code error;
  if (fs::is_regular_file(root / "answer.yml", error)) out.push_back(root);
  fs::recursive_directory_iterator it(root, error), end;
  if (error) return Error(Code::kNotFound, fmt::format("cannot read folder {}", root.string()));
  for (; !error && it != end && out.size() < kMostCases; it.increment(error)) {
    if (it.depth() >= 4) it.disable_recursion_pending();
    if (it->is_directory(error) && fs::is_regular_file(it->path() / "answer.yml", error))
      out.push_back(it->path());
  }
  if (out.empty())
    return Error(Code::kNotFound, fmt::format("no folder with an answer.yml below {}", root.string()));
  std::ranges::sort(out);
  return out;
}

void Count(InvestigationScore& out, const CaseScore& score) {
  out.right_category += score.right_category;
  out.right_cause += score.right_cause;
  out.passed += score.passed;
  out.strict += score.strict;
  out.forbidden += !score.forbidden.empty();
  out.healthy_cases += score.healthy;
  out.healthy_left_alone += score.healthy && score.right_category;
}

}  // namespace

Result<Conclusion> CatalogueInvestigator(const Evidence& evidence) {
  const Diagnosis d = Diagnose(evidence);
  return Conclusion{std::string(CategoryName(d.category)), d.mode, RenderDiagnosis(d), d.confidence};
}

Result<AnswerKey> ReadOpensreAnswer(const std::string& folder) {
  const std::string path = (fs::path(folder) / "answer.yml").string();
  std::ifstream in(path, std::ios::binary);
  if (!in.is_open()) return Error(Code::kNotFound, fmt::format("cannot read {}", path));
  std::string text(ports::YamlValue::kMaxBytes + 1, '\0');  // one too many: Parse says that it is too large
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  TOCSIN_ASSIGN_OR_RETURN(const ports::YamlValue root, ports::YamlValue::Parse(text, path));
  AnswerKey key;
  TOCSIN_ASSIGN_OR_RETURN(const ports::YamlValue category, root.Need("root_cause_category"));
  TOCSIN_ASSIGN_OR_RETURN(key.category, category.Text());
  const auto list = [&root](const char* name, std::vector<std::string>& out) -> Status {
    const auto value = root.Find(name);
    if (!value) return Status::Ok();
    TOCSIN_ASSIGN_OR_RETURN(out, value->Texts(200));
    return Status::Ok();
  };
  TOCSIN_RETURN_IF_ERROR(list("required_keywords", key.required));
  TOCSIN_RETURN_IF_ERROR(list("ruling_out_keywords", key.ruling_out));
  TOCSIN_RETURN_IF_ERROR(list("forbidden_categories", key.forbidden_categories));
  TOCSIN_RETURN_IF_ERROR(list("forbidden_keywords", key.forbidden_keywords));
  TOCSIN_RETURN_IF_ERROR(list("required_evidence_sources", key.sources));
  return key;
}

CaseScore ScoreConclusion(const Conclusion& conclusion, const AnswerKey& key, const Evidence& evidence) {
  CaseScore out{.expected = key.category, .concluded = conclusion.category, .mode = conclusion.mode};
  out.confidence = conclusion.confidence;
  out.text = conclusion.text;
  out.healthy = key.category == "healthy";
  const std::string text = Normalized(conclusion.text);
  out.missing = NotIn(text, key.required);
  out.missing_ruling_out = NotIn(text, key.ruling_out);
  for (const std::string& c : key.forbidden_categories)
    if (c == conclusion.category) out.forbidden.push_back(c);
  for (const std::string& w : key.forbidden_keywords)
    if (text.find(Normalized(w)) != std::string::npos) out.forbidden.push_back(w);
  const bool sources =
      std::ranges::all_of(key.sources, [&](const std::string& s) { return WasRead(s, evidence); });
  out.right_category = conclusion.category == key.category;
  out.right_cause = out.right_category && out.missing.empty();
  out.passed = out.right_cause && out.forbidden.empty() && sources;
  out.strict = out.passed && out.missing_ruling_out.empty();
  return out;
}

Result<InvestigationScore> EvaluateOpensre(const std::string& root, const CaseInvestigator& investigator) {
  TOCSIN_ASSIGN_OR_RETURN(const std::vector<fs::path> folders, FindCases(root));
  InvestigationScore out;
  for (const fs::path& folder : folders) {
    TOCSIN_ASSIGN_OR_RETURN(const Evidence evidence, ReadOpensreScenario(folder.string()));
    TOCSIN_ASSIGN_OR_RETURN(const Conclusion conclusion, investigator(evidence));
    TOCSIN_ASSIGN_OR_RETURN(const AnswerKey key, ReadOpensreAnswer(folder.string()));
    CaseScore score = ScoreConclusion(conclusion, key, evidence);
    score.name = fs::relative(folder, root).string();
    Count(out, score);
    out.cases.push_back(std::move(score));
  }
  return out;
}

}  // namespace tocsin::investigate
