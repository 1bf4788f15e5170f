#include "behavior/entity_scanner.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "kernel/ascii.h"

namespace tocsin::behavior {
namespace {

constexpr size_t kMaxChunk = 256;
constexpr size_t kMaxText = 128;

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool IsAlnum(char c) { return IsDigit(c) || IsLetter(c); }
constexpr char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr bool IsInner(char c) {
  return c == '-' || c == '_' || c == '.' || c == ',' || c == '/' || c == ':' || c == '@' || c == '+' ||
         c == '%' || c == '?' || c == '=' || c == '&' || c == '~';
}

template <size_t N>
bool OneOf(std::string_view word, const std::array<std::string_view, N>& list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

constexpr std::array<std::string_view, 31> kNouns = {
    "order",   "account",  "ticket",   "invoice",  "case",        "reference", "ref",      "tracking",
    "booking", "policy",   "claim",    "id",       "number",      "no",        "serial",   "confirmation",
    "code",    "customer", "member",   "shipment", "transaction", "receipt",   "contract", "card",
    "iban",    "request",  "incident", "quote",    "user",        "patient",   "flight"};
constexpr std::array<std::string_view, 16> kNotCodes = {"iso",   "rfc",     "sha",  "utf",   "ieee", "rtx",
                                                        "gtx",   "gpt",     "http", "https", "mp",   "ipv",
                                                        "covid", "windows", "en",   "ascii"};
constexpr std::array<std::string_view, 10> kPublicHosts = {
    "wikipedia.org", "google.com", "github.com", "youtube.com", "example.com",
    "example.org",   "python.org", "w3.org",     "mozilla.org", "stackoverflow.com"};

// Which (first letter, length) the words in kNouns and the months have: most words of a text are told apart
// by it.
class WordFilter {
 public:
  WordFilter() {
    for (std::string_view w : kNouns) Mark(w);
    for (std::string_view w :
         {"usd",   "eur",  "gbp",  "jan",    "feb",       "mar",     "apr",      "may",      "jun",
          "jul",   "aug",  "sep",  "oct",    "nov",       "dec",     "january",  "february", "march",
          "april", "june", "july", "august", "september", "october", "november", "december", "sept"}) {
      Mark(w);
    }
  }
  bool Possible(std::string_view word) const {
    const char c = Lower(word[0]);
    return word.size() < 16 && c >= 'a' && c <= 'z' && seen_[static_cast<size_t>(c - 'a') * 16 + word.size()];
  }

 private:
  void Mark(std::string_view w) { seen_[static_cast<size_t>(w[0] - 'a') * 16 + w.size()] = true; }
  std::array<bool, 26 * 16> seen_{};
};

int MonthOf(std::string_view word) {
  static constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                               "jul", "aug", "sep", "oct", "nov", "dec"};
  static constexpr std::array<std::string_view, 12> kLong = {"january",   "february", "march",    "april",
                                                             "may",       "june",     "july",     "august",
                                                             "september", "october",  "november", "december"};
  for (size_t m = 0; m < 12; ++m) {
    if (word == kMonths[m] || word == kLong[m] || (m == 8 && word == "sept")) return static_cast<int>(m) + 1;
  }
  return 0;
}

// "1,250.00" -> "1250", "19.90" -> "19.9"; nullopt when it is not one plain number.
std::optional<std::string> NormaliseNumber(std::string_view s) {
  std::string out;
  bool point = false;
  for (size_t i = 0; i < s.size(); ++i) {
    if (IsDigit(s[i])) {
      out += s[i];
    } else if (s[i] == ',' && i > 0 && s.size() - i > 3 && IsDigit(s[i + 1]) && IsDigit(s[i + 2]) &&
               IsDigit(s[i + 3]) && !point) {
      continue;
    } else if ((s[i] == '.' || s[i] == ',') && !point && !out.empty() && i + 1 < s.size()) {
      out += '.';
      point = true;
    } else {
      return std::nullopt;
    }
  }
  if (out.empty()) return std::nullopt;
  if (point) {
    while (out.back() == '0') out.pop_back();
    if (out.back() == '.') out.pop_back();
  }
  const size_t lead = std::min(out.find_first_not_of('0'), out.size() - 1);
  return out.substr(out[lead] == '.' && lead > 0 ? lead - 1 : lead);
}

std::string DateKey(int year, int a, int b) {
  if (year < 100) year += year < 70 ? 2000 : 1900;
  return std::to_string(year) + ":" + std::to_string(std::min(a, b)) + "-" + std::to_string(std::max(a, b));
}

// yyyy-mm-dd, dd/mm/yyyy, mm/dd/yy, dd.mm.yyyy and the like.
std::optional<std::string> NormaliseDate(std::string_view s) {
  std::array<int, 3> part{};
  std::array<size_t, 3> width{};
  size_t n = 0;
  char separator = 0;
  for (size_t i = 0; i < s.size(); ++i) {
    if (IsDigit(s[i])) {
      if (n >= 3 || ++width[n] > 4) return std::nullopt;
      part[n] = part[n] * 10 + (s[i] - '0');
    } else if ((s[i] == '-' || s[i] == '/' || s[i] == '.') && (separator == 0 || s[i] == separator)) {
      separator = s[i];
      ++n;
      if (n >= 3) return std::nullopt;
    } else if (n == 2 && (s[i] == 'T') && width[2] == 2) {
      break;
    } else {
      return std::nullopt;
    }
  }
  if (n != 2 || width[0] == 0 || width[1] == 0 || width[2] == 0) return std::nullopt;
  const bool year_first = width[0] == 4;
  if (!year_first && width[2] != 4 && !(width[2] == 2 && separator == '/')) return std::nullopt;
  const int year = year_first ? part[0] : part[2];
  const int a = part[1];
  const int b = year_first ? part[2] : part[0];
  if (a < 1 || b < 1 || a > 31 || b > 31 || (a > 12 && b > 12)) return std::nullopt;
  return DateKey(year, a, b);
}

struct Counts {
  size_t digits = 0, letters = 0, others = 0;
  bool upper = false, dash = false;
};
Counts Count(std::string_view s) {
  Counts c;
  for (char x : s) {
    if (IsDigit(x))
      ++c.digits;
    else if (IsLetter(x))
      ++c.letters;
    else
      ++c.others;
    c.upper = c.upper || (x >= 'A' && x <= 'Z');
    c.dash = c.dash || x == '-' || x == '_';
  }
  return c;
}

bool IsRound(std::string_view digits) {  // 10000, 250000: a quantity
  const size_t last = digits.find_last_not_of('0');
  return last == std::string_view::npos || (last < 2 && digits.size() > 3);
}

class Scanner {
 public:
  Scanner(std::string_view text, const GroundingOptions& options,
          const std::function<void(ScannedEntity&&)>& found,
          const std::function<void(const std::string&)>& number)
      : text_(text), options_(options), found_(found), number_(number) {}

  void Run() {
    size_t i = 0;
    while (i < text_.size()) {
      if (!IsAlnum(text_[i])) {
        NotePunct(i);
        ++i;
        continue;
      }
      const size_t end = ChunkEnd(i);
      Classify(i, end);
      i = end;
    }
  }

 private:
  size_t ChunkEnd(size_t begin) const {
    size_t end = begin;
    while (end < text_.size() && end - begin < kMaxChunk &&
           (IsAlnum(text_[end]) ||
            (IsInner(text_[end]) && end + 1 < text_.size() &&
             (IsAlnum(text_[end + 1]) || text_[end + 1] == '/')) ||
            (text_[end] == '/' && end > begin && (text_[end - 1] == ':' || text_[end - 1] == '/')))) {
      ++end;
    }
    return std::max(end, begin + 1);
  }

  void NotePunct(size_t i) {
    const char c = text_[i];
    if (c == '#') hash_ = true;
    currency_ = c == '$' ||
                (static_cast<unsigned char>(c) == 0xA3 || static_cast<unsigned char>(c) == 0xA5) ||
                (static_cast<unsigned char>(c) == 0xAC && i > 0 &&
                 static_cast<unsigned char>(text_[i - 1]) == 0x82) ||
                (currency_ && c == ' ');
    if (c == '.' || c == '!' || c == '?' || c == '\n') {
      noun_ = false;
      hash_ = false;
    }
  }

  void Emit(EntityKind kind, size_t begin, size_t end, std::string normalised, bool named) {
    ScannedEntity out;
    out.entity = {kind, std::string(text_.substr(begin, std::min(end - begin, kMaxText))),
                  std::move(normalised), begin};
    out.named = named;
    found_(std::move(out));
  }

  void Classify(size_t begin, size_t end) {
    const std::string_view chunk = text_.substr(begin, end - begin);
    const Counts c = Count(chunk);
    if (c.digits == 0 && c.others == 0) {
      Word(chunk);
      return;
    }
    const bool money = std::exchange(currency_, false) || FollowedByCurrency(end);
    const bool named = hash_ || noun_;
    hash_ = false;
    const bool dated = c.digits > 0 && MonthDate(begin, end, chunk);
    if (!dated && !Configured(begin, end, chunk) && !Address(begin, end, chunk)) {
      if (c.digits > 0) Numeric(begin, end, chunk, c, money, named);
    }
    if (c.digits >= 3) noun_ = false;
  }

  void Word(std::string_view chunk) {
    static const WordFilter filter;
    month_before_ = 0;
    if (!filter.Possible(chunk)) {
      if (++noun_age_ > 3) noun_ = false;
      return;
    }
    const std::string word = LowerAscii(chunk);
    if (OneOf(word, kNouns)) {
      noun_ = true;
      noun_age_ = 0;
    } else if (++noun_age_ > 3) {
      noun_ = false;
    }
    if (word == "usd" || word == "eur" || word == "gbp") currency_ = true;
    month_before_ = MonthOf(word);
  }

  bool FollowedByCurrency(size_t end) const {
    std::string_view rest = text_.substr(end, 12);
    if (rest.starts_with(" ")) rest.remove_prefix(1);
    return rest.starts_with("\xE2\x82\xAC") || rest.starts_with("USD") || rest.starts_with("EUR") ||
           rest.starts_with("dollars") || rest.starts_with("euros") || rest.starts_with("GBP");
  }

  // "March 5, 2024" and "5 March 2024", where `chunk` is the first number after or before the month.
  bool MonthDate(size_t begin, size_t end, std::string_view chunk) {
    const int day = std::atoi(std::string(chunk.substr(0, 4)).c_str());
    const size_t digits = Count(chunk).digits;
    if (std::exchange(pending_day_, 0) > 0 && digits == 4 && chunk.size() == 4 && pending_month_ > 0) {
      Emit(EntityKind::kDate, pending_begin_, end, DateKey(day, pending_month_, pending_last_), false);
      return true;
    }
    if (day < 1 || day > 31 || digits > 2 || chunk.size() > 4) return false;
    int month = std::exchange(month_before_, 0);
    if (month == 0) month = MonthAfter(end);
    if (month == 0) return false;
    pending_day_ = pending_last_ = day;
    pending_month_ = month;
    pending_begin_ = begin;
    return true;
  }

  int MonthAfter(size_t end) const {
    size_t i = end;
    if (text_.substr(i, 4) == " of ") i += 3;
    if (i >= text_.size() || text_[i] != ' ') return 0;
    ++i;
    size_t j = i;
    while (j < text_.size() && IsLetter(text_[j]) && j - i < 10) ++j;
    return MonthOf(LowerAscii(text_.substr(i, j - i)));
  }

  bool Configured(size_t begin, size_t end, std::string_view chunk) {
    for (const std::string& prefix : options_.entity_prefixes) {
      if (prefix.empty() || chunk.size() <= prefix.size()) continue;
      if (LowerAscii(chunk.substr(0, prefix.size())) != LowerAscii(prefix)) continue;
      if (Count(chunk.substr(prefix.size())).digits == 0) continue;
      Emit(EntityKind::kConfigured, begin, end, SquashAlnum(chunk), true);
      return true;
    }
    return false;
  }

  bool Address(size_t begin, size_t end, std::string_view chunk) {
    const size_t at = chunk.find('@');
    if (at != std::string_view::npos && at > 0) {
      if (chunk.find('.', at) == std::string_view::npos) return true;
      Emit(EntityKind::kEmail, begin, end, LowerAscii(chunk), true);
      return true;
    }
    std::string_view url = chunk;
    if (!url.starts_with("http://") && !url.starts_with("https://") && !url.starts_with("www.")) return false;
    if (const size_t scheme = url.find("://"); scheme != std::string_view::npos)
      url.remove_prefix(scheme + 3);
    if (url.starts_with("www.")) url.remove_prefix(4);
    while (!url.empty() && (url.back() == '/' || url.back() == '.')) url.remove_suffix(1);
    const std::string normalised = LowerAscii(url);
    const std::string host = normalised.substr(0, normalised.find('/'));
    const bool is_public = std::any_of(kPublicHosts.begin(), kPublicHosts.end(), [&](std::string_view known) {
      return host == known || (host.ends_with(known) && host[host.size() - known.size() - 1] == '.');
    });
    if (!is_public && host.find('.') != std::string::npos)
      Emit(EntityKind::kUrl, begin, end, normalised, true);
    return true;
  }

  void Numeric(size_t begin, size_t end, std::string_view chunk, const Counts& c, bool money, bool named) {
    if (const auto date = NormaliseDate(chunk)) {
      Emit(EntityKind::kDate, begin, end, *date, false);
      return;
    }
    const auto value = NormaliseNumber(chunk);
    if (value && number_) number_(*value);
    if (value && money) {
      Emit(EntityKind::kAmount, begin, end, *value, false);
      return;
    }
    const bool plain = c.letters == 0 && c.others == 0;
    if (plain) {
      const auto least = static_cast<size_t>(std::max(options_.min_account_digits, 3));
      const bool year = c.digits == 4 && (chunk[0] == '1' || chunk[0] == '2') && !named;
      if (!year &&
          ((named && c.digits >= 3 && !IsYearLike(chunk)) || (c.digits >= least && !IsRound(chunk)))) {
        Emit(EntityKind::kAccount, begin, end, std::string(chunk), named);
      }
      return;
    }
    if (c.letters == 0 && !value && c.digits >= 9 && c.digits <= 19) {
      const bool phone = chunk.find_first_not_of("0123456789-.") == std::string_view::npos && c.digits <= 12;
      if (chunk.find_first_not_of("0123456789-") == std::string_view::npos || phone) {
        Emit(phone ? EntityKind::kPhone : EntityKind::kAccount, begin, end, SquashAlnum(chunk), named);
      }
      return;
    }
    if (c.letters > 0 && IsCode(chunk, c, named))
      Emit(EntityKind::kCode, begin, end, SquashAlnum(chunk), named);
  }

  static bool IsYearLike(std::string_view digits) {
    return digits.size() == 4 && (digits.starts_with("19") || digits.starts_with("20"));
  }

  static bool IsCode(std::string_view chunk, const Counts& c, bool named) {
    if (chunk.find_first_of("./:,%?=&~+") != std::string_view::npos) return false;
    const size_t first = chunk.find_first_of("0123456789");
    std::string head = LowerAscii(chunk.substr(0, first));
    while (!head.empty() && !IsLetter(head.back())) head.pop_back();
    if (OneOf(head, kNotCodes)) return false;
    if (first == 0 && c.letters <= 2 && c.others == 0) return false;  // 1990s, 10th, 500ml
    if (!c.upper && !named) return false;
    if (c.digits >= 4 && c.digits + c.letters >= 6) return true;
    return c.digits >= 3 && c.upper && (c.dash || named);
  }

  std::string_view text_;
  const GroundingOptions& options_;
  const std::function<void(ScannedEntity&&)>& found_;
  const std::function<void(const std::string&)>& number_;
  bool hash_ = false, noun_ = false, currency_ = false;
  int noun_age_ = 0, month_before_ = 0;
  int pending_day_ = 0, pending_last_ = 0, pending_month_ = 0;
  size_t pending_begin_ = 0;
};

}  // namespace

std::string SquashAlnum(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (IsAlnum(c)) out += Lower(c);
  }
  return out;
}

void ScanEntities(std::string_view text, const GroundingOptions& options,
                  const std::function<void(ScannedEntity&&)>& found,
                  const std::function<void(const std::string&)>& number) {
  Scanner(text, options, found, number).Run();
}

}  // namespace tocsin::behavior
