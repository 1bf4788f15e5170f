#include "kernel/time.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdlib>

namespace tocsin {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Civil {
  int year;
  unsigned month, day;
  int64_t hour, minute, second, ns;
};

Civil ToCivil(Time t) {
  int64_t s = t.ns / kSecond;
  int64_t ns = t.ns % kSecond;
  if (ns < 0) ns += kSecond, --s;
  int64_t days = s / 86400;
  int64_t rest = s % 86400;
  if (rest < 0) rest += 86400, --days;
  const std::chrono::year_month_day d{std::chrono::sys_days{std::chrono::days{days}}};
  return {int{d.year()}, unsigned{d.month()}, unsigned{d.day()}, rest / 3600, rest / 60 % 60, rest % 60, ns};
}

// Reads exactly `n` digits at `pos`; false when they are not there.
bool Digits(std::string_view text, size_t& pos, int n, int64_t& out) {
  if (pos + static_cast<size_t>(n) > text.size()) return false;
  out = 0;
  for (int i = 0; i < n; ++i, ++pos) {
    const char c = text[pos];
    if (c < '0' || c > '9') return false;
    out = out * 10 + (c - '0');
  }
  return true;
}

bool Literal(std::string_view text, size_t& pos, char c) {
  if (pos >= text.size() || text[pos] != c) return false;
  ++pos;
  return true;
}

int64_t Fraction(std::string_view text, size_t& pos) {
  int64_t ns = 0, scale = 100'000'000;
  for (; pos < text.size() && text[pos] >= '0' && text[pos] <= '9'; ++pos, scale /= 10) {
    ns += (text[pos] - '0') * scale;
  }
  return ns;
}

// "Z", "+hh:mm" or "-hh:mm" up to the end of the text, in seconds.
bool Offset(std::string_view text, size_t& pos, int64_t& seconds) {
  seconds = 0;
  if (pos < text.size() && (text[pos] == 'Z' || text[pos] == 'z')) return ++pos == text.size();
  if (pos >= text.size() || (text[pos] != '+' && text[pos] != '-')) return false;
  const int64_t sign = text[pos++] == '-' ? -1 : 1;
  int64_t h = 0, m = 0;
  if (!Digits(text, pos, 2, h) || !Literal(text, pos, ':') || !Digits(text, pos, 2, m)) return false;
  seconds = sign * (h * 3600 + m * 60);
  return pos == text.size();
}

}  // namespace

std::string FormatTime(Time t) {
  const Civil c = ToCivil(t);
  std::string s =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second);
  if (c.ns != 0) {
    if (c.ns % 1'000'000 == 0) {
      s += fmt::format(".{:03}", c.ns / 1'000'000);
    } else if (c.ns % 1000 == 0) {
      s += fmt::format(".{:06}", c.ns / 1000);
    } else {
      s += fmt::format(".{:09}", c.ns);
    }
  }
  return s + "Z";
}

std::string FormatTimeForPeople(Time t) {
  const Civil c = ToCivil(t);
  const std::string seconds = c.second == 0 ? "" : fmt::format(":{:02}", c.second);
  return fmt::format("{:02}:{:02}{} UTC on {} {}", c.hour, c.minute, seconds, c.day, kMonths[c.month - 1]);
}

Result<Time> ParseTime(std::string_view text) {
  size_t p = 0;
  int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ns = 0, offset = 0;
  bool good = Digits(text, p, 4, year) && Literal(text, p, '-') && Digits(text, p, 2, month) &&
              Literal(text, p, '-') && Digits(text, p, 2, day) && p < text.size() &&
              (text[p] == 'T' || text[p] == 't' || text[p] == ' ');
  if (good) ++p;
  good = good && Digits(text, p, 2, hour) && Literal(text, p, ':') && Digits(text, p, 2, minute) &&
         Literal(text, p, ':') && Digits(text, p, 2, second);
  if (good && Literal(text, p, '.')) ns = Fraction(text, p);
  good = good && Offset(text, p, offset);
  const std::chrono::year_month_day d{std::chrono::year{static_cast<int>(year)},
                                      std::chrono::month{static_cast<unsigned>(month)},
                                      std::chrono::day{static_cast<unsigned>(day)}};
  // 64-bit nanoseconds reach from 1677 to 2262.
  if (!good || !d.ok() || hour > 23 || minute > 59 || second > 60 || year < 1678 || year > 2261) {
    return Error(
        Code::kInvalidArgument,
        fmt::format("'{}' is not an RFC 3339 time such as 2026-11-24T02:10:05Z", text.substr(0, 64)));
  }
  const int64_t days = std::chrono::sys_days{d}.time_since_epoch().count();
  return Time{(days * 86400 + hour * 3600 + minute * 60 + second - offset) * kSecond + ns};
}

std::string FormatDuration(Duration d) {
  if (d.ns < 0) return "-" + FormatDuration({-d.ns});
  if (d.ns < 1'000'000) return fmt::format("{} µs", d.ns / 1000);
  const int64_t ms = d.ns / 1'000'000;
  if (ms < 10'000 && ms % 1000 != 0)
    return ms < 1000 ? fmt::format("{} ms", ms) : fmt::format("{:.1f} s", d.seconds());
  const int64_t s = ms / 1000;
  if (s < 120) return fmt::format("{} s", s);
  if (s < 3600)
    return s % 60 == 0 ? fmt::format("{} min", s / 60) : fmt::format("{} min {:02} s", s / 60, s % 60);
  if (s < 48 * 3600) return fmt::format("{} h {:02} min", s / 3600, s / 60 % 60);
  return fmt::format("{} d {} h", s / 86400, s / 3600 % 24);
}

Result<Duration> ParseDuration(std::string_view text) {
  int64_t total = 0;
  size_t p = 0;
  while (p < text.size()) {
    int64_t n = 0;
    const size_t start = p;
    while (p < text.size() && text[p] >= '0' && text[p] <= '9' && p - start < 9)
      n = n * 10 + (text[p++] - '0');
    const size_t unit = p;
    while (p < text.size() && text[p] >= 'a' && text[p] <= 'z') ++p;
    const std::string_view u = text.substr(unit, p - unit);
    const int64_t scale = u == "ms"                ? 1'000'000
                          : u == "s"               ? kSecond
                          : u == "m" || u == "min" ? 60 * kSecond
                          : u == "h"               ? 3600 * kSecond
                          : u == "d"               ? 86400 * kSecond
                          : u == "w"               ? 7 * 86400 * kSecond
                          : u == "y"               ? 365 * 86400 * kSecond
                                                   : 0;
    if (unit == start || scale == 0 || n > INT64_MAX / 4 / scale || total > INT64_MAX / 2) {
      return Error(Code::kInvalidArgument,
                   fmt::format("'{}' is not a duration such as 90s, 15m or 1h30m", text.substr(0, 64)));
    }
    total += n * scale;
  }
  if (text.empty()) return Error(Code::kInvalidArgument, "an empty text is not a duration such as 15m");
  return Duration{total};
}

}  // namespace tocsin
