// Small rules of text that every channel shares. Pure; thread-safe. Input is hostile: any bytes.
#pragma once

#include <string>
#include <string_view>

namespace tocsin::respond {

// At most `max_bytes`, cut at a UTF-8 boundary, with "…" when cut (max_bytes ≥ 3).
std::string CutUtf8(std::string_view text, size_t max_bytes);
// At most `max` code points, cut with "…"; the unit in which Slack and PagerDuty count.
std::string CutCharacters(std::string_view text, size_t max);
// Control characters become spaces, line feeds too unless `keep_lines`; invalid UTF-8 becomes U+FFFD.
std::string CleanText(std::string_view text, bool keep_lines);
bool IsWebUrl(std::string_view url);
// "https://hooks.slack.com/…": what may be shown of an address whose path is a secret.
std::string PublicPartOfUrl(std::string_view url);
// "sev1" → "SEV1"; anything else in capitals; "" stays "".
std::string SeverityWord(std::string_view severity);

}  // namespace tocsin::respond
