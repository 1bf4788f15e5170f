// JSON text of the members that are not scalars: documents, tool calls, attributes (docs/formats/
// telemetry-tables.md). Writing is by hand because it is on the ingest path. Stateless; thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/status.h"
#include "signal/generation.h"

namespace tocsin::store::internal {

using Attributes = std::map<std::string, std::string>;

// Strings must be UTF-8.
std::string ToJson(const std::vector<signal::Document>& documents);
std::string ToJson(const std::vector<signal::ToolCall>& calls);
std::string ToJson(const Attributes& attributes);

// kDataLoss when the text is not what ToJson writes. Unknown keys are ignored.
Status FromJson(std::string_view text, std::vector<signal::Document>& documents);
Status FromJson(std::string_view text, std::vector<signal::ToolCall>& calls);
Status FromJson(std::string_view text, Attributes& attributes);

// The text with each invalid UTF-8 byte replaced by U+FFFD.
std::string RepairUtf8(std::string_view text);
bool IsUtf8(std::string_view text);

}  // namespace tocsin::store::internal
