#include "behavior/claim_action.h"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>

#include "behavior/generation_features.h"
#include "behavior/token_scanner.h"
#include "kernel/ascii.h"

namespace tocsin::behavior {
namespace {

constexpr size_t kMaxClaims = 16;
constexpr size_t kMaxSentence = 240;
constexpr size_t kMaxSentenceTokens = 400;

// forms: what an assertion uses. stems: what a tool call that could have done it contains. An action with
// needs_object counts only near a word for a thing of the business: "I have updated the paragraph" is no
// action.
struct Action {
  const char* verb;
  const char* forms;
  const char* stems;
  bool needs_object;
};

constexpr Action kActions[] = {
    {"refund", "refunded reimbursed", "refund reimburs credit payment", false},
    {"credit", "credited", "credit refund reimburs payment balance", true},
    {"cancel", "cancelled canceled", "cancel terminat void delet", false},
    {"send", "sent emailed mailed forwarded texted", "send sent mail notif messag forward sms post", true},
    {"update", "updated changed modified adjusted amended",
     "updat chang modif set edit patch adjust amend put", true},
    {"create", "created opened filed submitted raised logged",
     "creat open fil submit rais log ticket insert add post", true},
    {"book", "booked reserved", "book reserv schedul", false},
    {"schedule", "scheduled rescheduled", "schedul calendar appoint book event", false},
    {"delete", "deleted removed erased", "delet remov eras purg clear", true},
    {"order", "ordered placed", "order plac purchas checkout", true},
    {"process", "processed initiated completed issued",
     "refund credit process payment order return creat submit issu", true},
    {"transfer", "transferred wired", "transfer wire payment mov", false},
    {"escalate", "escalated", "escalat ticket assign handoff human", false},
    {"reset", "reset", "reset password", true},
    {"activate", "activated deactivated enabled disabled suspended reactivated",
     "activat enabl disabl suspend toggl status", true},
    {"upgrade", "upgraded downgraded switched", "upgrad downgrad plan subscri switch updat", true},
    {"apply", "applied", "appl discount coupon credit adjust", true},
    {"notify", "notified contacted alerted informed", "notif contact alert send mail messag call", true},
    {"charge", "charged billed paid", "charg bill pay invoic", true},
    {"ship", "shipped dispatched", "ship dispatch fulfil deliver label", false},
    {"unlock", "unlocked blocked locked frozen", "lock block freez unfreez", true},
    {"add", "added registered enrolled subscribed unsubscribed",
     "add regist enrol subscri insert creat updat", true},
    {"waive", "waived", "waiv fee adjust credit", false},
    {"replace", "replaced extended renewed", "replac exten renew order updat", true},
    {"deploy", "deployed restarted rebooted", "deploy restart reboot rollout", false}};

constexpr const char* kObjects =
    "order account subscription booking reservation appointment ticket case refund refunds payment payments "
    "invoice "
    "address email password meeting calendar record request profile plan card shipment delivery database "
    "server "
    "deployment return claim membership charge charges fee fees reminder policy balance customer team "
    "manager support "
    "department discount coupon voucher credit replacement flight seat contract service access user "
    "warehouse bank "
    "transaction transfer settings status confirmation complaint label event";
constexpr const char* kSubjects = "i we i've we've";
constexpr const char* kFillers =
    "have had has been already just now also successfully gone ahead and then personally immediately happily "
    "fully promptly officially both therefore since be being";
constexpr const char* kBlockers =
    "if once when unless until whether would could can may might will shall should not never cannot can't "
    "won't "
    "haven't hasn't didn't wasn't isn't don't unable please to want wanted need needs like i'll we'll you'll "
    "let "
    "had imagine suppose example after before";

struct Entry {
  int action = -1;
  bool object = false, subject = false, filler = false, blocker = false;
};

class Table {
 public:
  static const Table& Instance() {
    static const Table table;
    return table;
  }
  const Entry* Find(uint64_t hash) const {
    if (((bloom_[hash >> 58U] >> (hash >> 52U & 63U)) & 1U) == 0) return nullptr;
    const auto it = entries_.find(hash);
    return it == entries_.end() ? nullptr : &it->second;
  }

 private:
  Table() {
    for (size_t a = 0; a < std::size(kActions); ++a) {
      Each(kActions[a].forms, [&](Entry& e) { e.action = static_cast<int>(a); });
    }
    Each(kObjects, [](Entry& e) { e.object = true; });
    Each(kSubjects, [](Entry& e) { e.subject = true; });
    Each(kFillers, [](Entry& e) { e.filler = true; });
    Each(kBlockers, [](Entry& e) { e.blocker = true; });
  }
  template <class F>
  void Each(const char* words, F&& apply) {
    ScanTokens(words, [&](const Token& token) {
      bloom_[token.hash >> 58U] |= uint64_t{1} << (token.hash >> 52U & 63U);
      apply(entries_[token.hash]);
    });
  }
  std::array<uint64_t, 64> bloom_{};  // says no to most words without a look-up
  std::unordered_map<uint64_t, Entry> entries_;
};

struct Word {
  std::string_view text;
  const Entry* entry = nullptr;
  uint64_t hash = 0;
  bool quoted = false;
};

class SentenceReader {
 public:
  SentenceReader(const GenerationInput& input, ClaimActionResult& result) : input_(input), result_(result) {
    for (const ToolCallView& call : input.tool_calls) {
      calls_.push_back(LowerAscii(call.name) + " " + LowerAscii(call.arguments.substr(0, 4096)));
    }
  }

  void Add(const Token& token) {
    if (token.kind == TokenKind::kNewline) {
      Finish(false);
      return;
    }
    if (token.kind == TokenKind::kPunct) {
      const char c = token.text[0];
      if (c == '"') quoted_ = !quoted_;
      if (c == '.' || c == '!' || c == '?') Finish(c == '?');
      return;
    }
    if (words_.size() >= kMaxSentenceTokens) return;
    words_.push_back({token.text, Table::Instance().Find(token.hash), token.hash, quoted_});
  }

  void Finish(bool question) {
    if (!question) {
      for (size_t i = 0; i < words_.size() && result_.claims.size() < kMaxClaims; ++i) {
        const Entry* e = words_[i].entry;
        if (e != nullptr && e->action >= 0 && !words_[i].quoted && Asserted(i)) {
          Note(i, static_cast<size_t>(e->action));
          break;  // one claim a sentence
        }
      }
    }
    words_.clear();
    quoted_ = false;
  }

 private:
  // Is the verb at `i` asserted as done: "I have just refunded", "your order has now been cancelled"?
  bool Asserted(size_t i) const {
    static constexpr uint64_t kYour = HashToken("your");
    static constexpr uint64_t kHas = HashToken("has");
    static constexpr uint64_t kHave = HashToken("have");
    static constexpr uint64_t kWas = HashToken("was");
    static constexpr uint64_t kWere = HashToken("were");
    static constexpr uint64_t kIs = HashToken("is");
    static constexpr uint64_t kYou = HashToken("you");
    for (size_t k = 0; k < i; ++k) {
      if (words_[k].entry != nullptr && words_[k].entry->blocker) return false;
      if (words_[k].hash == kYou) return false;
    }
    const bool object_ok =
        !kActions[static_cast<size_t>(words_[i].entry->action)].needs_object || ObjectNear(i);
    if (!object_ok) return false;
    size_t k = i;
    bool auxiliary = false;
    while (k > 0 && i - k < 6) {
      --k;
      const Word& w = words_[k];
      if (w.entry != nullptr && w.entry->subject) return true;
      if (w.hash == kHas || w.hash == kHave || w.hash == kWas || w.hash == kWere || w.hash == kIs) {
        auxiliary = true;
        break;
      }
      if (w.entry == nullptr || !w.entry->filler) return false;
    }
    if (!auxiliary) return false;
    if (k > 0 && words_[k - 1].entry != nullptr && words_[k - 1].entry->subject) return true;
    for (size_t back = 0; k > 0 && back < 8; ++back) {  // "your order 1234 has been cancelled"
      --k;
      if (words_[k].hash == kYour) return true;
    }
    return false;
  }

  bool ObjectNear(size_t i) const {
    const size_t begin = i > 8 ? i - 8 : 0;
    const size_t end = std::min(words_.size(), i + 8);
    for (size_t k = begin; k < end; ++k) {
      if (k != i && words_[k].entry != nullptr && words_[k].entry->object) return true;
    }
    return false;
  }

  void Note(size_t i, size_t action) {
    ActionClaim claim;
    claim.verb = kActions[action].verb;
    const char* begin = words_.front().text.data();
    const char* end = words_.back().text.data() + words_.back().text.size();
    claim.sentence.assign(begin, std::min(static_cast<size_t>(end - begin), kMaxSentence));
    claim.offset = static_cast<size_t>(words_[i].text.data() - input_.output.data());
    ScanTokens(kActions[action].stems, [&](const Token& stem) {
      for (size_t c = 0; c < calls_.size() && !claim.matched; ++c) {
        if (calls_[c].find(stem.text) == std::string::npos) continue;
        claim.matched = true;
        claim.matched_tool = std::string(input_.tool_calls[c].name);
      }
    });
    if (!claim.matched) ++result_.unmatched;
    result_.claims.push_back(std::move(claim));
  }

  const GenerationInput& input_;
  ClaimActionResult& result_;
  std::vector<std::string> calls_;
  std::vector<Word> words_;
  bool quoted_ = false;
};

}  // namespace

ClaimActionResult CheckActionClaims(const GenerationInput& input) {
  ClaimActionResult result;
  SentenceReader reader(input, result);
  ScanTokens(input.output.substr(0, kMaxScannedBytes), [&](const Token& token) { reader.Add(token); });
  reader.Finish(false);
  return result;
}

}  // namespace tocsin::behavior
