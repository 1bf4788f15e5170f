#include "act/trust/trust_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "claims/claim_text.h"
#include "respond/json_text.h"
#include "respond/timeline.h"
#include "stats/clopper_pearson.h"

namespace tocsin::act {
namespace {

using nlohmann::json;
constexpr const char* kCollection = "trust";
constexpr double kFallTo[] = {0.8, 0.5, 0.2};  // below: approve, advise, observe
constexpr double kRiseAt = 0.8;
constexpr double kLevel = 0.9;  // two sides of 5 %

struct Field {
  const char* name;
  double TrustRecord::* record;
  double TrustNews::* news;
};
constexpr std::array kFields = {
    Field{"claims_held", &TrustRecord::claims_held, &TrustNews::claims_held},
    Field{"claims_refuted", &TrustRecord::claims_refuted, &TrustNews::claims_refuted},
    Field{"claims_unverifiable", &TrustRecord::claims_unverifiable, &TrustNews::claims_unverifiable},
    Field{"proposed", &TrustRecord::proposed, &TrustNews::proposed},
    Field{"approved", &TrustRecord::approved, &TrustNews::approved},
    Field{"denied", &TrustRecord::denied, &TrustNews::denied},
    Field{"refused", &TrustRecord::refused, &TrustNews::refused},
    Field{"executed", &TrustRecord::executed, &TrustNews::executed},
    Field{"helped", &TrustRecord::helped, &TrustNews::helped},
    Field{"failed", &TrustRecord::failed, &TrustNews::failed},
    Field{"undone", &TrustRecord::undone, &TrustNews::undone},
};

std::string IdOf(const std::string& agent, const std::string& action_class) {
  return agent + "|" + action_class;
}

Result<TrustRecord> Parse(const store::Document& document) {
  const json j = json::parse(document.body_json, nullptr, false);
  try {
    TrustRecord record;
    record.agent = j.at("agent").get<std::string>();
    record.action_class = j.at("class").get<std::string>();
    for (const Field& field : kFields) record.*field.record = j.at(field.name).get<double>();
    record.lower_bound = j.at("lower_bound").get<double>();
    if (!ParseTier(j.at("ceiling").get<std::string>(), record.ceiling))
      return Error(Code::kDataLoss, "a trust record has no such tier");
    record.why = j.at("why").get<std::string>();
    record.promotion_due = j.at("promotion_due").get<bool>();
    TOCSIN_ASSIGN_OR_RETURN(record.updated, ParseTime(j.at("updated").get<std::string>()));
    return record;
  } catch (const json::exception& e) {
    return Error(Code::kDataLoss, std::string("a trust record cannot be read: ") + e.what());
  }
}

TrustRecord Fresh(const std::string& agent, const std::string& action_class) {
  TrustRecord record;
  record.agent = agent;
  record.action_class = action_class;
  record.why = "no record yet";
  return record;
}

Status Put(store::LedgerTransaction& transaction, const TrustRecord& record) {
  return transaction.PutDocument(
      {kCollection, IdOf(record.agent, record.action_class), {}, respond::DumpJson(TrustToJson(record))});
}

}  // namespace

json TrustToJson(const TrustRecord& record) {
  json j = {{"agent", record.agent},
            {"class", record.action_class},
            {"lower_bound", record.lower_bound},
            {"ceiling", TierName(record.ceiling)},
            {"why", record.why},
            {"promotion_due", record.promotion_due},
            {"updated", FormatTime(record.updated)}};
  for (const Field& field : kFields) j[field.name] = record.*field.record;
  return j;
}

std::string ActionClass(const std::string& action) { return action.substr(0, action.find('.')); }

TrustRecord Learn(TrustRecord record, const TrustNews& news, Time now) {
  const double age = record.updated.known() ? std::max(0.0, (now - record.updated).seconds()) : 0;
  const double keep = std::exp2(-age / kTrustHalfLife.seconds());
  for (const Field& field : kFields) record.*field.record = record.*field.record * keep + news.*field.news;
  if (!record.updated.known() || now > record.updated) record.updated = now;
  const double good = record.claims_held + record.helped;
  const double bad = record.claims_refuted + record.failed + record.undone;
  const auto whole = [](double x) { return static_cast<uint64_t>(x); };
  // Rounded against the agent for what it may gain, and for it before it falls.
  const uint64_t low_trials = whole(std::floor(good)) + whole(std::ceil(bad - 1e-9));
  record.lower_bound =
      low_trials == 0 ? 0 : stats::ClopperPearson(whole(std::floor(good)), low_trials, kLevel).low;
  const uint64_t held = whole(std::ceil(good - 1e-9)), failed = whole(std::floor(bad + 1e-9));
  const double upper = held + failed == 0 ? 1 : stats::ClopperPearson(held, held + failed, kLevel).high;
  Tier most = Tier::kAuto;
  if (upper < kFallTo[0]) most = Tier::kApprove;
  if (upper < kFallTo[1]) most = Tier::kAdvise;
  if (upper < kFallTo[2]) most = Tier::kObserve;
  if (most < record.ceiling) {
    record.ceiling = most;
    record.why =
        fmt::format("fell by itself: of {:.0f} that could be told, {:.0f} were wrong or had to be undone",
                    good + bad, bad);
  }
  record.promotion_due = record.ceiling < Tier::kAuto && record.lower_bound >= kRiseAt;
  return record;
}

Status NoteTrust(store::LedgerTransaction& transaction, const std::string& agent,
                 const std::string& action_class, const TrustNews& news, Time now) {
  TOCSIN_ASSIGN_OR_RETURN(const auto document,
                          transaction.FindDocument(kCollection, IdOf(agent, action_class)));
  TrustRecord before = Fresh(agent, action_class);
  if (document) {
    TOCSIN_ASSIGN_OR_RETURN(before, Parse(*document));
  }
  const TrustRecord after = Learn(before, news, now);
  if (after.ceiling != before.ceiling || (after.promotion_due && !before.promotion_due))
    TOCSIN_RETURN_IF_ERROR(respond::AppendEvent(
        transaction, after.ceiling != before.ceiling ? "trust.fell" : "trust.promotion_due", "agent:" + agent,
        "tocsin", TrustToJson(after), now));
  return Put(transaction, after);
}

Result<TrustRecord> ReadTrust(store::Ledger& ledger, const std::string& agent,
                              const std::string& action_class) {
  TOCSIN_ASSIGN_OR_RETURN(const auto document, ledger.FindDocument(kCollection, IdOf(agent, action_class)));
  if (!document) return Fresh(agent, action_class);
  return Parse(*document);
}

Result<std::vector<TrustRecord>> ReadAllTrust(store::Ledger& ledger) {
  store::DocumentFilter filter;
  filter.collection = kCollection;
  std::vector<TrustRecord> records;
  for (;;) {
    TOCSIN_ASSIGN_OR_RETURN(const auto documents, ledger.FindDocuments(filter));
    for (const store::Document& document : documents) {
      TOCSIN_ASSIGN_OR_RETURN(TrustRecord record, Parse(document));
      records.push_back(std::move(record));
    }
    if (documents.size() < filter.limit || records.size() >= 10'000) return records;
    filter.after_id = documents.back().id;
  }
}

Result<TrustRecord> SetTrust(store::Ledger& ledger, const std::string& agent, const std::string& action_class,
                             Tier tier, const std::string& reason, const Caller& caller, Time now) {
  if (!caller.person) return Error(Code::kPermissionDenied, "only a person sets what an agent may do");
  if (reason.empty() || reason.size() > 500)
    return Error(Code::kInvalidArgument, "reason: say why, in at most 500 bytes");
  TrustRecord record = Fresh(agent, action_class);
  const Status stored = ledger.Transact([&](store::LedgerTransaction& transaction) -> Status {
    TOCSIN_ASSIGN_OR_RETURN(const auto document,
                            transaction.FindDocument(kCollection, IdOf(agent, action_class)));
    if (document) {
      TOCSIN_ASSIGN_OR_RETURN(record, Parse(*document));
    }
    const bool rises = tier > record.ceiling;
    record = Learn(record, {}, now);
    if (rises) record.claims_refuted = record.failed = record.undone = 0;
    record.ceiling = tier;
    record.why = "set by " + caller.name + ": " + claims::Printable(reason, 500);
    record.promotion_due = false;
    TOCSIN_RETURN_IF_ERROR(respond::AppendEvent(transaction, "trust.set", "agent:" + agent, caller.name,
                                                TrustToJson(record), now));
    return Put(transaction, record);
  });
  if (!stored.ok()) return Error(stored);
  return record;
}

}  // namespace tocsin::act
