// Grounding: does every identifier-like token of an answer occur in the context
// the request itself carried (system prompt, prompt, documents, tool calls)?
//
// What is looked for: account, order and ticket numbers (long digit runs, mixed
// letter-digit codes), money amounts, dates, e-mail addresses, URLs, phone numbers,
// and tokens that start with a configured prefix ("INV-", "ACC"). Both sides are
// normalised (case, separators, thousands marks, currency position, date order).
// Precision matters more than recall: integers under five digits, years, list
// numbering, plain percentages and well-known public hosts are not identifiers,
// and an amount or number is not reported when the prompt asks to compute.
//
// O(output + context), bounded result, thread-safe, no regular expressions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "behavior/generation_input.h"

namespace tocsin::behavior {

enum class EntityKind : std::uint8_t { kAccount, kCode, kAmount, kDate, kEmail, kUrl, kPhone, kConfigured };
std::string_view EntityKindName(EntityKind kind);  // "account", "code", …

struct Entity {
  EntityKind kind = EntityKind::kCode;
  std::string text;        // as written, at most 128 bytes
  std::string normalised;  // what is compared
  std::size_t offset = 0;  // in the scanned text
};

struct GroundingOptions {
  std::vector<std::string> entity_prefixes;  // "INV-", "ACC"; case-insensitive
  std::size_t max_entities = 64;             // per answer; more are counted, not kept
  int min_account_digits = 5;
};

struct GroundingResult {
  std::vector<Entity> unsupported;  // absent from the context
  std::size_t entities = 0;         // identifier-like tokens found in the output
  std::size_t unsupported_count = 0;
  bool any_unsupported() const { return unsupported_count > 0; }
};

// Identifier-like tokens of a text, in order.
std::vector<Entity> FindEntities(std::string_view text, const GroundingOptions& options = {});

GroundingResult CheckGrounding(const GenerationInput& input, const GroundingOptions& options = {});

}  // namespace tocsin::behavior
