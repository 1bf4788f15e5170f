#include "act/run/approval_book.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>

#include "claims/claim_text.h"
#include "kernel/id.h"
#include "respond/json_text.h"
#include "respond/render_text.h"

namespace tocsin::act {
namespace {

using nlohmann::json;
constexpr size_t kMaxReason = 1'000;

json ReachJson(const Reach& reach) {
  json j = json::object();
  if (reach.traffic) j["traffic"] = *reach.traffic;
  if (reach.instances) j["instances"] = *reach.instances;
  if (reach.users) j["users"] = *reach.users;
  if (reach.money) j["money"] = *reach.money;
  return j;
}
Reach ReachFrom(const json& j) {
  const auto number = [&](const char* key) {
    return j.contains(key) ? std::optional(j.at(key).get<double>()) : std::nullopt;
  };
  return {number("traffic"), number("instances"), number("users"), number("money")};
}

std::string ReachText(const Reach& reach) {
  std::string out;
  const auto add = [&](const std::string& part) { out += (out.empty() ? "" : ", ") + part; };
  if (reach.traffic) add(fmt::format("{:.3g} % of the traffic", *reach.traffic * 100));
  if (reach.instances) add(fmt::format("{:g} instances", *reach.instances));
  if (reach.users) add(fmt::format("{:.0f} users", *reach.users));
  if (reach.money) add(fmt::format("{:g} of money", *reach.money));
  return out.empty() ? "not declared" : out;
}

Status Refused(const std::string& id, const std::string& why) {
  return {Code::kPermissionDenied, id + ": " + why};
}

// Who may answer at all.
Status MayAnswer(const Approval& approval, const Access& access, const Caller& caller, bool approve) {
  if (!caller.person) return Refused(approval.id, "an agent approves nothing; a person must answer");
  const auto person = access.people.find(caller.name);
  if (person == access.people.end() || !person->second.may_approve)
    return Refused(approval.id, caller.name + " may not approve: see act.access.people in tocsin.yaml");
  if (caller.name == approval.proposed_by && approve)
    return Refused(approval.id, "who proposed it cannot approve it: somebody else must");
  if (!MatchesAction(person->second.actions, approval.action))
    return Refused(approval.id, fmt::format("{} may not approve '{}'", caller.name, approval.action));
  return {};
}

}  // namespace

Result<std::string> FreshActId(store::LedgerTransaction& transaction, const std::string& prefix,
                               const std::string& collection) {
  for (int tries = 0; tries < 50; ++tries) {
    uint32_t bits = 0;
    if (RAND_bytes(reinterpret_cast<unsigned char*>(&bits), sizeof bits) != 1)
      return Error(Code::kInternal, "no randomness for an id");
    const std::string id = prefix + Base32(bits & ((1u << 30) - 1), 6);
    TOCSIN_ASSIGN_OR_RETURN(const auto there, transaction.FindDocument(collection, id));
    if (!there) return id;
  }
  return Error(Code::kInternal, "no free id in " + collection);
}

json ApprovalToJson(const Approval& a) {
  json targets = json::array(), answers = json::array();
  for (const Target& t : a.targets) targets.push_back({{"kind", t.kind}, {"name", t.name}});
  for (const ApprovalAnswer& answer : a.answers)
    answers.push_back({{"by", answer.by},
                       {"via", answer.via},
                       {"reason", answer.reason},
                       {"approve", answer.approve},
                       {"at", FormatTime(answer.at)}});
  return {{"id", a.id},
          {"run", a.run},
          {"step", a.step},
          {"runbook", a.runbook},
          {"incident", a.incident},
          {"call_hash", a.call_hash},
          {"state", a.state},
          {"action", a.action},
          {"title", a.title},
          {"call", a.call},
          {"preview", a.preview},
          {"inverse", a.inverse},
          {"proposed_by", a.proposed_by},
          {"proposed_by_agent", a.proposed_by_agent},
          {"adopts", a.adopts},
          {"why", a.why},
          {"targets", std::move(targets)},
          {"reach", ReachJson(a.reach)},
          {"reasons", a.reasons},
          {"evidence", a.evidence},
          {"needed", a.needed},
          {"asked", FormatTime(a.asked)},
          {"expires", FormatTime(a.expires)},
          {"answers", std::move(answers)}};
}

Result<Approval> ApprovalFromJson(const json& j) {
  try {
    Approval a;
    for (const auto& [key, text] : {std::pair<const char*, std::string*>{"id", &a.id},
                                    {"run", &a.run},
                                    {"step", &a.step},
                                    {"runbook", &a.runbook},
                                    {"incident", &a.incident},
                                    {"call_hash", &a.call_hash},
                                    {"state", &a.state},
                                    {"action", &a.action},
                                    {"title", &a.title},
                                    {"call", &a.call},
                                    {"preview", &a.preview},
                                    {"inverse", &a.inverse},
                                    {"proposed_by", &a.proposed_by},
                                    {"why", &a.why}})
      *text = j.at(key).get<std::string>();
    a.proposed_by_agent = j.at("proposed_by_agent").get<bool>();
    a.adopts = j.at("adopts").get<bool>();
    for (const json& t : j.at("targets"))
      a.targets.push_back({t.at("kind").get<std::string>(), t.at("name").get<std::string>()});
    a.reach = ReachFrom(j.at("reach"));
    a.reasons = j.at("reasons").get<std::vector<std::string>>();
    a.evidence = j.at("evidence");
    a.needed = j.at("needed").get<int>();
    TOCSIN_ASSIGN_OR_RETURN(a.asked, ParseTime(j.at("asked").get<std::string>()));
    TOCSIN_ASSIGN_OR_RETURN(a.expires, ParseTime(j.at("expires").get<std::string>()));
    for (const json& answer : j.at("answers")) {
      TOCSIN_ASSIGN_OR_RETURN(const Time at, ParseTime(answer.at("at").get<std::string>()));
      a.answers.push_back({answer.at("by").get<std::string>(), answer.at("via").get<std::string>(),
                           answer.at("reason").get<std::string>(), answer.at("approve").get<bool>(), at});
    }
    return a;
  } catch (const json::exception& e) {
    return Error(Code::kDataLoss, std::string("a stored approval cannot be read: ") + e.what());
  }
}

std::vector<CardLine> ApprovalCard(const Approval& a) {
  std::vector<CardLine> card;
  const auto line = [&card](const char* name, const std::string& text) {
    card.push_back({name, respond::Safe(text)});
  };
  line("call", a.call);
  if (!a.preview.empty()) line("does", a.preview);
  std::string targets;
  for (const Target& t : a.targets) targets += (targets.empty() ? "" : ", ") + t.kind + " " + t.name;
  line("targets", targets.empty() ? "none" : targets);
  line("reach", ReachText(a.reach));
  line("undo", a.inverse);
  for (const std::string& reason : a.reasons) line("because", reason);
  if (a.evidence.empty()) line("evidence", "none was given");
  for (const json& e : a.evidence) {
    const std::string verdict = respond::JsonText(e, "verdict"), why = respond::JsonText(e, "why");
    line("evidence", verdict + " by Tocsin: " + respond::JsonText(e, "text") +
                         (verdict == "verified" || why.empty() ? "" : " (" + why + ")"));
  }
  line("proposed", fmt::format("by {}{} in {}{}", a.proposed_by, a.proposed_by_agent ? " (an agent)" : "",
                               a.run, a.incident.empty() ? "" : " for " + a.incident));
  if (!a.why.empty()) line("words", "theirs, unproven: " + a.why);
  for (const ApprovalAnswer& answer : a.answers)
    line(answer.approve ? "approved" : "denied",
         fmt::format("by {} at {}{}", answer.by, FormatTimeForPeople(answer.at),
                     answer.reason.empty() ? "" : ": " + answer.reason));
  if (a.state == "open")
    line("needs",
         fmt::format("{}, by {}", a.needed == 1 ? "1 person" : "2 people", FormatTimeForPeople(a.expires)));
  return card;
}

std::string RenderApproval(const Approval& a) {
  std::string out = fmt::format("{}  {}: {}\n\n", a.id, a.state, respond::Safe(a.title));
  for (const CardLine& line : ApprovalCard(a))
    out += respond::Wrap(line.text, 100, fmt::format("  {:<10} ", line.name), 13);
  return out;
}

Status PutApproval(store::LedgerTransaction& transaction, const Approval& approval) {
  return transaction.PutDocument({"approvals", approval.id,
                                  approval.state == "open" ? approval.expires : Time{},
                                  respond::DumpJson(ApprovalToJson(approval))});
}

namespace {
Result<Approval> Parse(const store::Document& document) {
  return ApprovalFromJson(json::parse(document.body_json, nullptr, false));
}
}  // namespace

Result<std::optional<Approval>> ReadApproval(store::Ledger& ledger, const std::string& id) {
  TOCSIN_ASSIGN_OR_RETURN(const auto document, ledger.FindDocument("approvals", id));
  if (!document) return std::optional<Approval>();
  TOCSIN_ASSIGN_OR_RETURN(Approval approval, Parse(*document));
  return std::optional(std::move(approval));
}

Result<std::vector<Approval>> ReadApprovals(store::Ledger& ledger, bool open_only) {
  store::DocumentFilter filter;
  filter.collection = "approvals";
  filter.limit = 1000;
  if (open_only) filter.due_until = Time{INT64_MAX};
  TOCSIN_ASSIGN_OR_RETURN(const auto documents, ledger.FindDocuments(filter));
  std::vector<Approval> approvals;
  for (const store::Document& document : documents) {
    TOCSIN_ASSIGN_OR_RETURN(Approval approval, Parse(document));
    approvals.push_back(std::move(approval));
  }
  std::stable_sort(approvals.begin(), approvals.end(), [](const Approval& a, const Approval& b) {
    const bool a_open = a.state == "open", b_open = b.state == "open";
    return a_open != b_open ? a_open : a.asked > b.asked;
  });
  return approvals;
}

Result<Approval> AnswerApproval(store::LedgerTransaction& transaction, const Access& access,
                                const std::string& id, bool approve, const std::string& seen,
                                const std::string& reason, const Caller& caller, Time now) {
  if (reason.size() > kMaxReason) return Error(Code::kInvalidArgument, "reason has more than 1,000 bytes");
  TOCSIN_ASSIGN_OR_RETURN(const auto document, transaction.FindDocument("approvals", id));
  if (!document) return Error(Code::kNotFound, "there is no approval " + claims::Printable(id, 40));
  TOCSIN_ASSIGN_OR_RETURN(Approval a, Parse(*document));
  if (a.state != "open") return Error(Code::kFailedPrecondition, id + " is " + a.state + " already");
  TOCSIN_RETURN_IF_ERROR(MayAnswer(a, access, caller, approve));
  if (now >= a.expires)
    return Error(Code::kFailedPrecondition, id + " has expired at " + FormatTimeForPeople(a.expires));
  if (seen != a.call_hash)
    return Error(Code::kFailedPrecondition, id + " asks about another call than the one that was seen");
  if (std::any_of(a.answers.begin(), a.answers.end(), [&](const auto& x) { return x.by == caller.name; }))
    return Error(Code::kAlreadyExists, caller.name + " has answered " + id + " already");
  a.answers.push_back({caller.name, caller.via, claims::Printable(reason, kMaxReason), approve, now});
  if (!approve) {
    a.state = "denied";
  } else {
    const auto yes =
        std::count_if(a.answers.begin(), a.answers.end(), [](const auto& x) { return x.approve; });
    if (yes >= a.needed) a.state = "approved";
  }
  TOCSIN_RETURN_IF_ERROR(PutApproval(transaction, a));
  return a;
}

Status WithdrawApproval(store::LedgerTransaction& transaction, const std::string& id,
                        const std::string& state) {
  TOCSIN_ASSIGN_OR_RETURN(const auto document, transaction.FindDocument("approvals", id));
  if (!document) return {};
  TOCSIN_ASSIGN_OR_RETURN(Approval approval, Parse(*document));
  if (approval.state != "open") return {};
  approval.state = state;
  return PutApproval(transaction, approval);
}

std::vector<GivenApproval> GivenOf(const Approval& approval) {
  std::vector<GivenApproval> given;
  for (const ApprovalAnswer& answer : approval.answers)
    given.push_back({answer.by, answer.approve, approval.call_hash, approval.expires});
  return given;
}

}  // namespace tocsin::act
