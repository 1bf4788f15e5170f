#include "surface/cli/audit_verify.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "store/data_directory.h"
#include "store/ledger.h"

namespace tocsin::surface {
namespace {

struct Options {
  std::string data;
  bool json = false;
};

void Print(const store::AuditReport& report, const Options& options, std::ostream& out) {
  if (options.json) {
    nlohmann::ordered_json j = {
        {"intact", report.intact}, {"events", report.events}, {"head_hash", report.head_hash}};
    if (!report.intact) {
      j["first_bad_seq"] = report.first_bad_seq;
      j["what"] = report.what;
    }
    out << j.dump() << '\n';
  } else if (report.intact) {
    out << "intact: " << report.events << " events, head " << report.head_hash << '\n';
  } else {
    out << "BROKEN at event " << report.first_bad_seq << ": " << report.what << '\n'
        << report.events << " events read, head " << report.head_hash << '\n';
  }
}

void Verify(const Options& options, CommandContext& context) {
  store::SqliteOptions sqlite;
  sqlite.path = store::DataDirectory::LedgerPath(options.data);
  sqlite.read_only = true;
  auto ledger = store::OpenSqlite(sqlite);
  if (!ledger) return context.Fail(ledger.error());
  const auto report = (*ledger)->VerifyAudit();
  if (!report) return context.Fail(report.error());
  Print(*report, options, context.out);
  context.exit_code = report->intact ? 0 : 1;
}

}  // namespace

void AddAuditVerify(CLI::App& audit, CommandContext& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verify = audit.add_subcommand("verify", "Recompute the audit chain and say whether it is intact");
  verify->add_option("--data", options->data, "The data directory")->required();
  verify->add_flag("--json", options->json, "One JSON object");
  verify->callback([options, &context] { Verify(*options, context); });
}

}  // namespace tocsin::surface
