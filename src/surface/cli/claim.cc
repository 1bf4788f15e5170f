#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "claims/claim_json.h"
#include "claims/claim_text.h"
#include "surface/cli/commands.h"
#include "surface/cli/server_client.h"

namespace tocsin::surface {
namespace {

using nlohmann::json;

// "-" is standard input. Never more than a file of claims may be.
Result<std::string> ReadAll(const std::string& name) {
  std::ifstream file;
  if (name != "-") {
    file.open(name, std::ios::binary);
    if (!file) return tl::unexpected(Status(Code::kNotFound, fmt::format("cannot read '{}'", name)));
  }
  std::istream& in = name == "-" ? std::cin : file;
  std::string text;
  char buffer[1 << 16];
  while (in.read(buffer, sizeof buffer) || in.gcount() > 0) {
    text.append(buffer, static_cast<size_t>(in.gcount()));
    if (text.size() > claims::kMaxClaimFileBytes)
      return tl::unexpected(Status(
          Code::kOutOfRange, fmt::format("{}: is longer than {} bytes", name, claims::kMaxClaimFileBytes)));
  }
  return text;
}

void Print(const json& answer, std::ostream& out) {
  for (const auto& r : answer.value("results", json::array())) {
    const std::string verdict = r.value("verdict", "?");
    const char* mark = verdict == "verified" ? "+" : verdict == "refuted" ? "-" : "?";
    out << fmt::format("{} {:<12} {}\n  {}\n", mark, verdict, r.value("text", ""),
                       claims::Printable(r.value("why", ""), 300));
    std::string traces;
    for (const auto& e : r.value("exemplars", json::array()))
      traces += fmt::format(" {} {}", e.value("kind", ""), e.value("id", ""));
    if (!traces.empty()) out << "  see" << traces << '\n';
  }
  out << fmt::format("{} verified, {} refuted, {} unverifiable\n", answer.value("verified", 0),
                     answer.value("refuted", 0), answer.value("unverifiable", 0));
}

struct CheckFlags {
  std::string file = "-", url = kDefaultUrl;
  bool as_json = false;
};

void Check(const CheckFlags& flags, CommandContext& context) {
  const auto text = ReadAll(flags.file);
  if (!text) return context.Fail(text.error());
  // What is wrong with the file is said here, by its name and before anything is sent.
  const auto list = claims::ReadClaimText(*text, flags.file == "-" ? "standard input" : flags.file);
  if (!list) return context.Fail(list.error());
  json body = json::array();
  for (const auto& claim : *list) body.push_back(json(claims::WriteClaim(claim)));
  const auto answer = TellServer(flags.url, "/api/v1/claims/verify", body.dump());
  if (!answer) return context.Fail(answer.error());
  const json parsed = json::parse(*answer, nullptr, false);
  if (!parsed.is_object()) return context.Fail(Status(Code::kUnavailable, "the server's answer is not JSON"));
  if (flags.as_json) {
    context.out << *answer << '\n';
  } else {
    Print(parsed, context.out);
  }
  if (parsed.value("verified", size_t{0}) != list->size()) context.exit_code = 1;
}

}  // namespace

void AddClaimCommand(CLI::App& app, CommandContext& context) {
  CLI::App* claim =
      app.add_subcommand("claim", "Statements about telemetry that can be run")->require_subcommand(1);
  auto flags = std::make_shared<CheckFlags>();
  CLI::App* check =
      claim->add_subcommand("check", "Run claims: exit code 0 when all are verified, 1 when not");
  check->add_option("FILE", flags->file, "JSON or YAML; - is standard input")->capture_default_str();
  check->add_flag("--json", flags->as_json, "JSON instead of text");
  check->add_option("--url", flags->url, "The server")->capture_default_str();
  check->callback([flags, &context] { Check(*flags, context); });
  claim->add_subcommand("schema", "Print the JSON Schema of claims")->callback([&context] {
    context.out << claims::ClaimSchema().dump(2) << '\n';
  });
}

}  // namespace tocsin::surface
