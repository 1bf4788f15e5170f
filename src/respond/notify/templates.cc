#include "respond/notify/templates.h"

#include <algorithm>
#include <exception>
#include <kainjow/mustache.hpp>

#include "respond/notify/notice_text.h"

namespace tocsin::respond {
namespace {

namespace ms = kainjow::mustache;

constexpr size_t kMaxTemplateBytes = 16u << 10;
constexpr int kMaxDepth = 2;
constexpr size_t kMaxLines = 40;
constexpr size_t kMaxLineBytes = 500;
constexpr size_t kMaxLinks = 10;

constexpr std::string_view kDefaultSubject =
    "{{#severity}}[{{severity}}] {{/severity}}{{#prefix}}{{prefix}}: {{/prefix}}{{title}}"
    "{{#incident_id}} ({{incident_id}}){{/incident_id}}";
constexpr std::string_view kDefaultBody =
    "{{title}}\n"
    "{{#source}}Where: {{source}}\n{{/source}}"
    "{{#at}}When: {{at}}\n{{/at}}"
    "{{#has_lines}}\n\n{{#lines}}- {{.}}\n{{/lines}}{{/has_lines}}"
    "{{#more}}- and {{more}} more\n{{/more}}"
    "{{#has_links}}\n\n{{#links}}{{text}}: {{url}}\n{{/links}}{{/has_links}}";

// Ends a rendering that has written enough; never leaves this file.
struct Enough : std::exception {};

// Sections no deeper than kMaxDepth: lists inside lists are what could run long without writing anything.
Status CheckNesting(std::string_view text) {
  int depth = 0;
  for (size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at + 2)) {
    size_t sign = at + 2;
    while (sign < text.size() && (text[sign] == ' ' || text[sign] == '\t' || text[sign] == '\n')) ++sign;
    if (sign >= text.size()) break;
    if (text[sign] == '=') return Status(Code::kInvalidArgument, "template: delimiters cannot be changed");
    if (text[sign] == '>')
      return Status(Code::kInvalidArgument, "template: there are no partials to include");
    if (text[sign] == '/') --depth;
    if ((text[sign] == '#' || text[sign] == '^') && ++depth > kMaxDepth) {
      return Status(Code::kInvalidArgument, "template: sections are nested more than two deep");
    }
  }
  return Status::Ok();
}

std::string PrefixOf(const std::string& kind) {
  if (kind == "resolved") return "Resolved";
  if (kind == "acknowledged") return "Acknowledged";
  if (kind == "update") return "Update";
  if (kind == "approval") return "Approve?";
  if (kind == "alert") return "Tocsin itself";
  return "";  // a page or a digest says enough
}

// An absent value is false, so that a section around it is left out.
void SetText(ms::data& data, const std::string& name, const std::string& value) {
  if (value.empty()) {
    data.set(name, ms::data(false));
  } else {
    data.set(name, value);
  }
}

ms::data DataOf(const NotificationMessage& message) {
  ms::data data(ms::data::type::object);
  const auto clean = [](const std::string& text) { return CutUtf8(CleanText(text, false), kMaxLineBytes); };
  SetText(data, "kind", clean(message.kind));
  SetText(data, "prefix", PrefixOf(message.kind));
  SetText(data, "incident_id", clean(message.incident_id));
  SetText(data, "title", clean(message.title));
  SetText(data, "severity", SeverityWord(message.severity));
  SetText(data, "source", clean(message.source));
  SetText(data, "at", message.at.known() ? FormatTimeForPeople(message.at) : "");
  ms::data lines(ms::data::type::list);
  const size_t shown = std::min(message.lines.size(), kMaxLines);
  for (size_t i = 0; i < shown; ++i) lines.push_back(ms::data(clean(message.lines[i])));
  data.set("lines", lines);
  data.set("has_lines", ms::data(shown > 0));
  SetText(data, "more", shown < message.lines.size() ? std::to_string(message.lines.size() - shown) : "");
  ms::data links(ms::data::type::list);
  size_t link_count = 0;
  for (const NotificationLink& link : message.links) {
    if (!IsWebUrl(link.url) || link_count == kMaxLinks) continue;
    ms::data entry(ms::data::type::object);
    entry.set("text", clean(link.text.empty() ? "Link" : link.text));
    entry.set("url", link.url);
    links.push_back(entry);
    ++link_count;
  }
  data.set("links", links);
  data.set("has_links", ms::data(link_count > 0));
  return data;
}

std::string Trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(" \n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \n") - first + 1);
}

}  // namespace

Result<Template> Template::Compile(std::string_view text) {
  if (text.size() > kMaxTemplateBytes) {
    return Error(Code::kInvalidArgument, "template: longer than 16384 bytes");
  }
  TOCSIN_RETURN_IF_ERROR(CheckNesting(text));
  try {
    const ms::mustache parsed{std::string(text)};
    if (!parsed.is_valid()) return Error(Code::kInvalidArgument, "template: " + parsed.error_message());
  } catch (const std::exception&) {
    return Error(Status::FromException("template", Code::kInvalidArgument));
  }
  return Template(std::string(text));
}

std::string Template::Render(const NotificationMessage& message, size_t max_bytes, bool keep_lines) const {
  std::string out;
  try {
    ms::mustache parsed(text_);  // not shared between threads: rendering is not const in this library
    parsed.set_custom_escape([](const std::string& text) { return text; });
    parsed.render(DataOf(message), [&](const std::string& part) {
      out.append(part);
      if (out.size() > max_bytes) throw Enough();
    });
  } catch (const Enough&) {
    // What fits is kept.
  } catch (const std::exception&) {
    out = message.title;  // a message must go out whatever happens to its form
  }
  return CutUtf8(Trimmed(CleanText(out, keep_lines)), max_bytes);
}

const MessageTemplates& MessageTemplates::Default() {
  static const auto* templates =
      new MessageTemplates{*Template::Compile(kDefaultSubject), *Template::Compile(kDefaultBody)};
  return *templates;
}

}  // namespace tocsin::respond
