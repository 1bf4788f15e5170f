#include "act/runbook/internal/import_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "act/runbook/read_runbook.h"
#include "claims/claim_text.h"

namespace tocsin::act::internal {
namespace {

using nlohmann::ordered_json;

std::string Scalar(const ordered_json& value) {
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

void Comments(const ordered_json& object, size_t indent, std::string& out) {
  if (!object.contains(kComments)) return;
  for (const auto& line : object[kComments])
    out += fmt::format("{:{}}# {}\n", "", indent, claims::Printable(line.get<std::string>(), 300));
}

void Block(const ordered_json& value, size_t indent, std::string& out);

// After "key:" or "-".
void Value(const ordered_json& value, size_t indent, std::string& out) {
  if (!value.is_structured() || value.empty()) {
    out += " " + Scalar(value) + "\n";
    return;
  }
  out += "\n";
  Block(value, indent, out);
}

void Block(const ordered_json& value, size_t indent, std::string& out) {
  if (value.is_array()) {
    for (const auto& item : value) {
      if (item.is_object()) Comments(item, indent, out);
      out += fmt::format("{:{}}-", "", indent);
      Value(item, indent + 2, out);
    }
    return;
  }
  for (const auto& [key, item] : value.items()) {
    if (key == kComments) continue;
    const bool plain = IsRunbookName(key);
    out += fmt::format("{:{}}{}:", "", indent, plain ? key : Scalar(key));
    Value(item, indent + 2, out);
  }
}

}  // namespace

std::string NameOf(std::string_view title, std::string_view otherwise) {
  std::string out;
  for (const char c : title) {
    if (out.size() >= 48) break;
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
      out += c;
    else if (c >= 'A' && c <= 'Z')
      out += static_cast<char>(c - 'A' + 'a');
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  while (out.ends_with('-')) out.pop_back();
  return out.empty() ? std::string(otherwise) : out;
}

std::string FreeName(std::string_view title, std::string_view otherwise, std::set<std::string>& taken) {
  const std::string name = NameOf(title, otherwise);
  std::string out = name;
  for (int i = 2; !taken.insert(out).second; ++i) out = fmt::format("{}-{}", name, i);
  return out;
}

std::string PlainText(std::string_view text, size_t most) {
  std::string out(text);
  for (size_t at = 0; (at = out.find("{{", at)) != std::string::npos; at += 2) out.insert(at + 1, " ");
  if (out.size() <= most) return out;
  size_t end = most - 3;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0) == 0x80) --end;
  return out.substr(0, end) + "…";
}

Result<ImportedRunbook> WriteImport(const ordered_json& document, std::vector<std::string> left_out,
                                    const std::string& from) {
  ImportedRunbook out{document.value("runbook", ""), "", std::move(left_out)};
  Comments(document, 0, out.yaml);
  Block(document, 0, out.yaml);
  if (const auto read = ReadRunbook(out.yaml, out.id + ".yaml"); !read)
    return Error(Code::kInvalidArgument,
                 fmt::format("{}: does not make a runbook: {}", from, read.error().message()));
  return out;
}

}  // namespace tocsin::act::internal
