#include "behavior/grounding.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <unordered_set>

#include "behavior/entity_scanner.h"
#include "behavior/format_check.h"
#include "behavior/generation_features.h"
#include "behavior/token_scanner.h"

namespace tocsin::behavior {
namespace {

constexpr size_t kMaxNumbers = 24;  // context numbers an answer may have computed with

// What the request's context contains, in comparable form.
struct Context {
  std::unordered_set<std::string> entities;
  std::unordered_set<std::string> numbers;
  std::vector<double> values;
  std::string squashed;
  bool grounded = false;  // documents or tool results are present

  void Add(std::string_view text, const GroundingOptions& options) {
    text = text.substr(0, kMaxScannedBytes);
    squashed += SquashAlnum(text);
    squashed += '|';
    ScanEntities(
        text, options, [&](ScannedEntity&& e) { entities.insert(std::move(e.entity.normalised)); },
        [&](const std::string& number) {
          if (numbers.insert(number).second && values.size() < kMaxNumbers) {
            values.push_back(std::strtod(number.c_str(), nullptr));
          }
        });
  }

  // A sum, difference, product or percentage of two context numbers, or of the sum of the amounts.
  bool Computable(double x) const {
    const auto near = [&](double y) { return std::fabs(x - y) < 0.006; };
    double total = 0.0;
    for (size_t i = 0; i < values.size(); ++i) {
      total += values[i];
      for (size_t j = 0; j < values.size(); ++j) {
        if (near(values[i] - values[j]) ||
            (j >= i && (near(values[i] + values[j]) || near(values[i] * values[j])))) {
          return true;
        }
        if (near(values[i] * values[j] / 100.0) || near(values[i] * (1.0 - values[j] / 100.0))) return true;
      }
    }
    return near(total) || std::any_of(values.begin(), values.end(), [&](double percent) {
             const double rest = total - percent;  // what it is a percentage of
             return near(rest * percent / 100.0) || near(rest * (1.0 - percent / 100.0)) || near(rest);
           });
  }

  bool Supports(const Entity& e) const {
    if (entities.contains(e.normalised)) return true;
    if (e.kind == EntityKind::kAmount) {
      return numbers.contains(e.normalised) || Computable(std::strtod(e.normalised.c_str(), nullptr));
    }
    if (e.kind == EntityKind::kDate) return squashed.find(SquashAlnum(e.text)) != std::string::npos;
    if (numbers.contains(e.normalised)) return true;
    return squashed.find(SquashAlnum(e.normalised)) != std::string::npos;
  }
};

struct Intent {
  bool computes = false;
  bool invents = false;
};

Intent IntentOf(std::string_view prompt) {
  static constexpr std::array<uint64_t, 14> kCompute = {
      HashToken("calculate"), HashToken("compute"), HashToken("total"),    HashToken("sum"),
      HashToken("multiply"),  HashToken("divide"),  HashToken("percent"),  HashToken("convert"),
      HashToken("estimate"),  HashToken("solve"),   HashToken("equation"), HashToken("prime"),
      HashToken("budget"),    HashToken("forecast")};
  static constexpr std::array<uint64_t, 14> kInvent = {
      HashToken("example"), HashToken("examples"),    HashToken("sample"),   HashToken("fictional"),
      HashToken("story"),   HashToken("imagine"),     HashToken("template"), HashToken("placeholder"),
      HashToken("fake"),    HashToken("generate"),    HashToken("poem"),     HashToken("mock"),
      HashToken("random"),  HashToken("hypothetical")};
  Intent intent;
  ScanTokens(prompt.substr(0, kMaxScannedBytes), [&](const Token& token) {
    if (token.kind != TokenKind::kWord) return;
    intent.computes |= std::find(kCompute.begin(), kCompute.end(), token.hash) != kCompute.end();
    intent.invents |= std::find(kInvent.begin(), kInvent.end(), token.hash) != kInvent.end();
  });
  return intent;
}

bool InCode(const std::vector<CodeBlock>& blocks, std::string_view output, size_t offset) {
  return std::any_of(blocks.begin(), blocks.end(), [&](const CodeBlock& b) {
    if (b.code.empty()) return false;
    const auto begin = static_cast<size_t>(b.code.data() - output.data());
    return offset >= begin && offset < begin + b.code.size();
  });
}

// Kinds whose absence means something only when the application gave the model material to answer from.
bool NeedsMaterial(EntityKind kind) {
  return kind == EntityKind::kAmount || kind == EntityKind::kDate || kind == EntityKind::kUrl ||
         kind == EntityKind::kPhone;
}

bool Judged(const ScannedEntity& e, const Context& context, const Intent& intent) {
  if (e.entity.kind == EntityKind::kConfigured) return true;
  if (intent.invents) return false;
  if (NeedsMaterial(e.entity.kind) && !context.grounded) return false;
  const bool number = e.entity.kind == EntityKind::kAmount || e.entity.kind == EntityKind::kAccount;
  if (intent.computes && number && !e.named) return false;
  if (!context.grounded && !e.named && e.entity.kind != EntityKind::kEmail) return false;
  return true;
}

}  // namespace

std::string_view EntityKindName(EntityKind kind) {
  static constexpr std::array<std::string_view, 8> kNames = {"account", "code", "amount", "date",
                                                             "email",   "url",  "phone",  "configured"};
  return kNames[static_cast<size_t>(kind)];
}

std::vector<Entity> FindEntities(std::string_view text, const GroundingOptions& options) {
  std::vector<Entity> out;
  ScanEntities(
      text.substr(0, kMaxScannedBytes), options,
      [&](ScannedEntity&& e) {
        if (out.size() < options.max_entities) out.push_back(std::move(e.entity));
      },
      nullptr);
  return out;
}

GroundingResult CheckGrounding(const GenerationInput& input, const GroundingOptions& options) {
  GroundingResult result;
  const std::string_view output = input.output.substr(0, kMaxScannedBytes);
  std::vector<ScannedEntity> found;
  ScanEntities(
      output, options,
      [&](ScannedEntity&& e) {
        ++result.entities;
        if (found.size() < options.max_entities) found.push_back(std::move(e));
      },
      nullptr);
  if (found.empty()) return result;

  Context context;
  context.Add(input.system, options);
  context.Add(input.prompt, options);
  for (const DocumentView& d : input.documents) {
    context.Add(d.id, options);
    context.Add(d.text, options);
    context.grounded = true;
  }
  for (const ToolCallView& t : input.tool_calls) {
    context.Add(t.arguments, options);
    context.Add(t.result, options);
    context.grounded = context.grounded || !t.result.empty();
  }
  const Intent intent = IntentOf(input.prompt);
  const std::vector<CodeBlock> code = FindCodeBlocks(output);
  for (ScannedEntity& e : found) {
    if (!Judged(e, context, intent) || InCode(code, output, e.entity.offset)) continue;
    if (context.Supports(e.entity)) continue;
    ++result.unsupported_count;
    result.unsupported.push_back(std::move(e.entity));
  }
  return result;
}

}  // namespace tocsin::behavior
