// What importers share: names made of titles, and a document that becomes YAML with comments.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "act/runbook/import_runbook.h"

namespace tocsin::act::internal {

// The key whose list of texts becomes comments above the rest of an object.
inline constexpr const char* kComments = "#";

// "Isolate the Host!" is "isolate-the-host"; at most 48, `otherwise` when nothing is left.
std::string NameOf(std::string_view title, std::string_view otherwise);
// The same, followed by -2, -3 … when it is taken.
std::string FreeName(std::string_view title, std::string_view otherwise, std::set<std::string>& taken);
// "{{" is never literal in a runbook: becomes "{ {". Cut to `most` bytes at a character.
std::string PlainText(std::string_view text, size_t most);

// The document as YAML, read back: kInternal when it does not read.
Result<ImportedRunbook> WriteImport(const nlohmann::ordered_json& document, std::vector<std::string> left_out,
                                    const std::string& from);

}  // namespace tocsin::act::internal
