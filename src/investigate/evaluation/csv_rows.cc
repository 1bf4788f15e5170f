#include "investigate/evaluation/csv_rows.h"

#include <fmt/format.h>

namespace tocsin::investigate {

Status CsvRows::Quoted(std::string_view& field) {
  const size_t start = ++at_;
  bool doubled = false;
  while (true) {
    const size_t quote = text_.find('"', at_);
    if (quote == std::string_view::npos) {
      return {Code::kInvalidArgument, fmt::format("row {}: a quote is never closed", row_)};
    }
    at_ = quote + 1;
    if (at_ < text_.size() && text_[at_] == '"') {
      doubled = true;
      ++at_;
      continue;
    }
    field = text_.substr(start, quote - start);
    break;
  }
  if (!doubled) return Status::Ok();
  std::string& plain = unescaped_.emplace_back();
  plain.reserve(field.size());
  for (size_t i = 0; i < field.size(); ++i) {
    plain += field[i];
    if (field[i] == '"') ++i;
  }
  field = plain;
  return Status::Ok();
}

Result<bool> CsvRows::Next(std::vector<std::string_view>& fields) {
  fields.clear();
  unescaped_.clear();
  while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
  if (at_ >= text_.size()) return false;
  ++row_;
  while (true) {
    std::string_view field;
    if (at_ < text_.size() && text_[at_] == '"') TOCSIN_RETURN_IF_ERROR(Quoted(field));
    const size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
    if (field.empty()) field = text_.substr(at_, end - at_);
    if (!field.empty() && field.back() == '\r') field.remove_suffix(1);
    fields.push_back(field);
    at_ = end + 1;
    if (end >= text_.size() || text_[end] == '\n') return true;
  }
}

}  // namespace tocsin::investigate
