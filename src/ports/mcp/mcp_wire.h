// What both ends of MCP must agree on: versions, names in _meta, error codes, how a header carries a value,
// and JSON of bounded depth. Pure; thread-safe.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace tocsin::ports::mcp {

// Each request stands alone.
inline constexpr const char* kStatelessVersion = "2026-07-28";
// With a handshake and a session, newest first.
inline constexpr const char* kSessionVersions[] = {"2025-11-25", "2025-06-18", "2025-03-26"};

inline constexpr const char* kVersionKey = "io.modelcontextprotocol/protocolVersion";
inline constexpr const char* kCapabilitiesKey = "io.modelcontextprotocol/clientCapabilities";
inline constexpr const char* kClientInfoKey = "io.modelcontextprotocol/clientInfo";
inline constexpr const char* kServerInfoKey = "io.modelcontextprotocol/serverInfo";

inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kMethodNotFound = -32601;
inline constexpr int kInvalidParams = -32602;
inline constexpr int kInternalError = -32603;
inline constexpr int kServerError = -32000;       // of this server: busy, not configured
inline constexpr int kSessionNotFound = -32001;   // initialize again
inline constexpr int kResourceNotFound = -32002;  // before 2026-07-28; since then kInvalidParams
inline constexpr int kHeaderMismatch = -32020;
inline constexpr int kMissingCapability = -32021;
inline constexpr int kUnsupportedVersion = -32022;

// Which parameter the header Mcp-Name repeats; null when the method has none.
const char* NameParameter(std::string_view method);
// A header's value, "=?base64?…?=" decoded; nothing when it cannot be.
std::optional<std::string> DecodeHeaderValue(std::string_view value);
// The other way: as it is when it is plain printable ASCII.
std::string EncodeHeaderValue(std::string_view value);

// Null when the text is no JSON, or nested deeper than `max_depth`.
nlohmann::json ReadBoundedJson(std::string_view text, int max_depth = 48);

}  // namespace tocsin::ports::mcp
