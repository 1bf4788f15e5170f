#include "behavior/injection.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <unordered_map>

#include "behavior/generation_features.h"
#include "behavior/token_scanner.h"

namespace tocsin::behavior {
namespace {

constexpr size_t kMaxFindings = 16;
constexpr size_t kExcerptBefore = 60;
constexpr size_t kExcerpt = 200;

enum Role : uint32_t {
  kOverrideVerb = 1U << 0,  // ignore, disregard …
  kRules = 1U << 1,         // instructions, prompt …
  kEarlier = 1U << 2,       // previous, above, your …
  kSendVerb = 1U << 3,
  kRevealVerb = 1U << 4,
  kSecret = 1U << 5,
  kAddressee = 1U << 6,  // assistant, ai, chatbot …
  kHideVerb = 1U << 7,   // tell, mention, reveal …
  kNegation = 1U << 8,
  kUserWord = 1U << 9,
  kCommand = 1U << 10,  // must, respond, reply, answer …
};

class Roles {
 public:
  static const Roles& Instance() {
    static const Roles roles;
    return roles;
  }
  uint32_t Of(uint64_t hash) const {
    if (((bloom_[hash >> 58U] >> (hash >> 52U & 63U)) & 1U) == 0) return 0;
    const auto it = map_.find(hash);
    return it == map_.end() ? 0 : it->second;
  }

 private:
  Roles() {
    Add(kOverrideVerb, "ignore disregard forget override bypass discard overlook neglect stop");
    Add(kRules,
        "instructions instruction prompt prompts rules guidelines directives directive constraints "
        "restrictions "
        "programming commands training context");
    Add(kEarlier,
        "previous prior above earlier all any your system preceding other original initial existing");
    Add(kSendVerb,
        "send forward post upload exfiltrate leak transmit submit email mail fetch visit open load");
    Add(kRevealVerb, "reveal print show repeat output display disclose expose share give list");
    Add(kSecret, "password passwords credentials secret secrets token tokens key keys prompt ssn");
    Add(kAddressee, "assistant ai chatbot llm model gpt chatgpt claude bot agent copilot");
    Add(kHideVerb, "tell mention reveal inform disclose say notify alert warn");
    Add(kNegation, "not never don't without avoid");
    Add(kUserWord, "user users anyone human customer them");
    Add(kCommand, "must respond reply answer always instead now only immediately begin start pretend");
  }
  void Add(uint32_t role, const char* words) {
    ScanTokens(words, [&](const Token& token) {
      bloom_[token.hash >> 58U] |= uint64_t{1} << (token.hash >> 52U & 63U);
      map_[token.hash] |= role;
    });
  }
  std::array<uint64_t, 64> bloom_{};  // says no to most words without a look-up
  std::unordered_map<uint64_t, uint32_t> map_;
};

struct Phrase {
  const char* text;
  const char* cue;
  double weight;
};
// Compared against the lower-cased text as it stands.
constexpr Phrase kMarks[] = {{"<|im_start|>", "role_tag", 0.8},
                             {"<|system|>", "role_tag", 0.8},
                             {"[inst]", "role_tag", 0.6},
                             {"<<sys>>", "role_tag", 0.8},
                             {"### instruction", "role_tag", 0.5},
                             {"\nsystem:", "role_tag", 0.5},
                             {"<system>", "role_tag", 0.6},
                             {"</system>", "role_tag", 0.6},
                             {"[system]", "role_tag", 0.6},
                             {"\nassistant:", "role_tag", 0.4},
                             {"begin system", "role_tag", 0.5},
                             {"<|endoftext|>", "role_tag", 0.7},
                             {"you are now", "command", 0.4},
                             {"from now on", "command", 0.4},
                             {"act as", "command", 0.2},
                             {"pretend to be", "command", 0.3},
                             {"new instructions", "command", 0.6},
                             {"your new task", "command", 0.6},
                             {"your real task", "command", 0.6},
                             {"your actual task", "command", 0.6},
                             {"developer mode", "command", 0.5},
                             {"jailbreak", "command", 0.5},
                             {"do anything now", "command", 0.5},
                             {"if you are an ai", "command", 0.6},
                             {"if you are a language model", "command", 0.7},
                             {"as an ai, you", "command", 0.5},
                             {"dear ai", "command", 0.5},
                             {"attention ai", "command", 0.6},
                             {"note to ai", "command", 0.7},
                             {"note to the assistant", "command", 0.7},
                             {"message to the assistant", "command", 0.6},
                             {"system prompt", "reveal", 0.35},
                             {"hidden instruction", "command", 0.5},
                             {"when summarizing", "command", 0.4},
                             {"when summarising", "command", 0.4},
                             {"include the following in your", "command", 0.5},
                             {"in your response", "command", 0.25},
                             {"in your answer", "command", 0.2}};

class Cues {
 public:
  Cues(std::string_view text, bool from_user) : text_(text), from_user_(from_user) {}

  void Add(const char* cue, double weight, size_t offset) {
    if (from_user_ && (std::string_view(cue) == "command" || std::string_view(cue) == "reveal"))
      weight *= 0.5;
    auto it = std::find_if(hits_.begin(), hits_.end(), [&](const Hit& h) { return h.cue == cue; });
    if (it == hits_.end()) {
      hits_.push_back({cue, weight, offset});
    } else if (weight > it->weight) {
      it->weight = weight;
      it->offset = offset;
    } else {
      it->weight = std::min(0.9, it->weight + 0.1 * weight);  // repetition adds a little
    }
  }

  InjectionFinding Finish() const {
    InjectionFinding finding;
    double miss = 1.0;
    const Hit* strongest = nullptr;
    for (const Hit& hit : hits_) {
      miss *= 1.0 - hit.weight;
      finding.cues.emplace_back(hit.cue);
      if (strongest == nullptr || hit.weight > strongest->weight) strongest = &hit;
    }
    finding.score = 1.0 - miss;
    std::sort(finding.cues.begin(), finding.cues.end());
    if (strongest != nullptr) {
      const size_t begin = strongest->offset > kExcerptBefore ? strongest->offset - kExcerptBefore : 0;
      finding.excerpt = std::string(text_.substr(begin, kExcerpt));
    }
    return finding;
  }

 private:
  struct Hit {
    std::string_view cue;
    double weight = 0.0;
    size_t offset = 0;
  };
  std::string_view text_;
  bool from_user_;
  std::vector<Hit> hits_;
};

// Roles of the last few words, with their places, to find cues whose words stand close together.
class NearbyWords {
 public:
  static constexpr size_t kWindow = 12;
  void Add(uint32_t roles, size_t offset) {
    slots_[next_ % kWindow] = {roles, offset};
    ++next_;
  }
  // Offset of a word with `role` at most `reach` words back, or npos.
  size_t Find(uint32_t role, size_t reach) const {
    for (size_t back = 1; back <= std::min({reach, kWindow, next_}); ++back) {
      const Slot& slot = slots_[(next_ - back) % kWindow];
      if (slot.roles & role) return slot.offset;
    }
    return std::string_view::npos;
  }

 private:
  struct Slot {
    uint32_t roles = 0;
    size_t offset = 0;
  };
  std::array<Slot, kWindow> slots_{};
  size_t next_ = 0;
};

void WordCues(std::string_view text, Cues& cues) {
  constexpr size_t kNone = std::string_view::npos;
  const Roles& roles = Roles::Instance();
  static constexpr uint64_t kHttp = HashToken("http");
  static constexpr uint64_t kHttps = HashToken("https");
  NearbyWords near;
  ScanTokens(text, [&](const Token& token) {
    const size_t at = static_cast<size_t>(token.text.data() - text.data());
    const bool address = (token.kind == TokenKind::kPunct && token.text[0] == '@' && !token.space_before) ||
                         token.hash == kHttp || token.hash == kHttps;
    if (address && near.Find(kSendVerb, 10) != kNone)
      cues.Add("exfiltration", 0.35, near.Find(kSendVerb, 10));
    if (token.kind != TokenKind::kWord) return;
    const uint32_t role = roles.Of(token.hash);
    if ((role & kRules) && near.Find(kOverrideVerb, 6) != kNone && near.Find(kEarlier, 5) != kNone) {
      cues.Add("override", 0.85, near.Find(kOverrideVerb, 6));
    }
    if ((role & kUserWord) && near.Find(kHideVerb, 4) != kNone && near.Find(kNegation, 6) != kNone) {
      cues.Add("secrecy", 0.5, near.Find(kNegation, 6));
    }
    if ((role & kSecret) && near.Find(kRevealVerb, 6) != kNone) {
      cues.Add("reveal", 0.4, near.Find(kRevealVerb, 6));
    }
    if ((role & kAddressee) && near.Find(kCommand, 4) != kNone) cues.Add("command", 0.25, at);
    if ((role & kCommand) && near.Find(kAddressee, 3) != kNone) cues.Add("command", 0.3, at);
    near.Add(role, at);
  });
}

void MarkCues(std::string_view text, Cues& cues) {
  std::string lower(text);
  for (char& c : lower) c = (c >= 'A' && c <= 'Z') ? static_cast<char>(c + 32) : c;
  for (const Phrase& mark : kMarks) {
    const size_t at = lower.find(mark.text);
    if (at != std::string::npos) cues.Add(mark.cue, mark.weight, at);
  }
  // ![x](https://host/?q=...): a picture that carries data out.
  for (size_t at = lower.find("]("); at != std::string::npos; at = lower.find("](", at + 2)) {
    const std::string_view ahead = std::string_view(lower).substr(at + 2, 512);
    const std::string_view url = ahead.substr(0, ahead.find(')'));
    const size_t from = at > 256 ? at - 256 : 0;
    const size_t back = std::string_view(lower).substr(from, at - from).rfind('[');
    const size_t open = back == std::string_view::npos ? std::string::npos : from + back;
    const bool image = open != std::string::npos && open > 0 && lower[open - 1] == '!';
    if (image && url.starts_with("http") && url.find('?') != std::string_view::npos) {
      cues.Add("exfiltration", 0.6, at);
    }
  }
}

void HiddenCues(std::string_view text, Cues& cues) {
  size_t invisible = 0;
  size_t first = 0;
  size_t run = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    run = (std::isalnum(c) != 0 || c == '+' || c == '/' || c == '=') ? run + 1 : 0;
    if (run == 120) cues.Add("encoded", 0.25, i - 119);
    if (c < 0xE2 || i + 2 >= text.size()) continue;
    const auto d = static_cast<unsigned char>(text[i + 1]);
    const auto e = static_cast<unsigned char>(text[i + 2]);
    const bool zero_width =
        (c == 0xE2 && d == 0x80 && e >= 0x8B && e <= 0x8F) || (c == 0xE2 && d == 0x81 && e == 0xA0);
    const bool tag = c == 0xF3 && d == 0xA0 && (e == 0x80 || e == 0x81);
    if (zero_width || tag) {
      if (invisible == 0) first = i;
      ++invisible;
    }
  }
  if (invisible >= 4) cues.Add("invisible", invisible >= 16 ? 0.7 : 0.4, first);
}

}  // namespace

InjectionFinding ScoreInjection(std::string_view text, bool from_user) {
  text = text.substr(0, kMaxScannedBytes);
  Cues cues(text, from_user);
  WordCues(text, cues);
  MarkCues(text, cues);
  HiddenCues(text, cues);
  InjectionFinding finding = cues.Finish();
  finding.source = from_user ? InjectionSource::kPrompt : InjectionSource::kDocument;
  return finding;
}

InjectionResult CheckInjection(const GenerationInput& input) {
  InjectionResult result;
  const auto consider = [&](std::string_view text, InjectionSource source, std::string_view id) {
    InjectionFinding finding = ScoreInjection(text, source == InjectionSource::kPrompt);
    finding.source = source;
    finding.source_id = std::string(id);
    result.score = std::max(result.score, finding.score);
    if (finding.score >= kInjectionThreshold) result.findings.push_back(std::move(finding));
  };
  consider(input.prompt, InjectionSource::kPrompt, {});
  for (const DocumentView& d : input.documents) consider(d.text, InjectionSource::kDocument, d.id);
  for (const ToolCallView& t : input.tool_calls) consider(t.result, InjectionSource::kToolResult, t.name);
  std::stable_sort(result.findings.begin(), result.findings.end(),
                   [](const InjectionFinding& a, const InjectionFinding& b) { return a.score > b.score; });
  if (result.findings.size() > kMaxFindings) result.findings.resize(kMaxFindings);
  return result;
}

}  // namespace tocsin::behavior
