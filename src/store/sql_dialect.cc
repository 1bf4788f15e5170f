#include "store/sql_dialect.h"

#include <fmt/format.h>

namespace tocsin::store {
namespace {

// Wraps in `quote`, doubling it inside.
std::string Quoted(std::string_view text, char quote) {
  std::string s(1, quote);
  for (const char c : text) {
    if (c == quote) s += c;
    s += c;
  }
  return s + quote;
}

class DuckDbDialectImpl final : public SqlDialect {
 public:
  std::string Quantile(std::string_view expression, double q) const override {
    return fmt::format("quantile_cont({}, {})", expression, q);
  }
  std::string TimeBucket(std::string_view ns, Duration bucket) const override {
    // The modulus of a negative number is negative: correct it, so that buckets before 1970 are as wide.
    return fmt::format("(({0}) - ((({0}) % {1}) + {1}) % {1})", ns, bucket.ns);
  }
  std::string CountIf(std::string_view condition) const override {
    return fmt::format("count(CASE WHEN {} THEN 1 END)", condition);
  }
  std::string JsonText(std::string_view json, std::string_view key) const override {
    // JSON pointer (RFC 6901): '~' and '/' in a key are escaped.
    std::string pointer = "/";
    for (const char c : key) pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return fmt::format("coalesce(json_extract_string({}, {}), '')", json, QuoteText(pointer));
  }
  std::string QuoteName(std::string_view name) const override { return Quoted(name, '"'); }
  std::string QuoteText(std::string_view text) const override { return Quoted(text, '\''); }
};

}  // namespace

const SqlDialect& DuckDbDialect() {
  static const DuckDbDialectImpl* const kDialect = new DuckDbDialectImpl;
  return *kDialect;
}

}  // namespace tocsin::store
