// Does a JSON answer parse, and is a code block at least balanced?
//
// ParseJson is a full RFC 8259 validator (strings, escapes, numbers, UTF-8 not checked)
// without recursion: depth is a counter over an explicit bit stack, bounded by kMaxDepth.
// CheckCode looks at brackets and quotes only, skipping comments and strings of the common
// families; it says "unbalanced", never "correct". O(text), no allocation beyond the stack.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace tocsin::behavior {

inline constexpr std::size_t kMaxJsonDepth = 512;

// Is the whole text (spaces around allowed) one JSON value?
bool IsValidJson(std::string_view text);

// Are (), [] and {} of a code block balanced outside strings and comments?
bool BracketsBalanced(std::string_view code, std::string_view language);

struct CodeBlock {
  std::string_view language;  // "python", may be empty
  std::string_view code;
  bool closed = true;  // the fence was closed
};

// Fenced code blocks (``` or ~~~) in order, at most `limit`.
std::vector<CodeBlock> FindCodeBlocks(std::string_view text, std::size_t limit = 64);

}  // namespace tocsin::behavior
