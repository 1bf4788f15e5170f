// Message templates (mustache): how a message reads for a person. Structured channels do not use them.
//
// A template sees: kind, incident_id, title, severity ("SEV1"), source, at, lines (a list, {{.}} is the
// line), has_lines, more (how many lines were left out, or nothing), links (a list of text and url),
// has_links. Nothing is escaped for HTML: {{x}} and {{{x}}} are the same, and each channel escapes what it
// sends itself. Bounds: a template is at most 16 KiB with sections two deep and no change of delimiters, a
// message shows at most 40 lines and 10 links, and what is written ends at the caller's bound with "…"; so a
// template can neither grow without end nor run long. Thread-safe once made: immutable. Errors:
// kInvalidArgument saying what is wrong.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "kernel/status.h"
#include "respond/notify/message.h"

namespace tocsin::respond {

class Template {
 public:
  static Result<Template> Compile(std::string_view text);
  // Clean UTF-8 of at most max_bytes; line feeds only where keep_lines.
  std::string Render(const NotificationMessage& message, size_t max_bytes, bool keep_lines) const;

 private:
  explicit Template(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

struct MessageTemplates {
  Template subject;
  Template body;

  // Readable by someone just woken: severity and place first, then what, then where to look.
  static const MessageTemplates& Default();
};

}  // namespace tocsin::respond
