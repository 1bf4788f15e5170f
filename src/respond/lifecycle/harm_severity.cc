#include "respond/lifecycle/harm_severity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

namespace tocsin::respond {
namespace {

// Expected people from which on it is sev1, sev2, sev3; infinite: never.
struct Scale {
  std::string_view name;
  std::array<double, 3> from;
};
constexpr double kNever = 1e300;
constexpr std::array kScales = {
    Scale{"dangerous", {1, 1, 1}},
    Scale{"harmful", {10, 1, 1}},
    Scale{"misleading", {1'000, 100, 1}},
    Scale{"funny", {kNever, 10'000, 1'000}},
};
constexpr std::array<double, 3> kBurn{14.4, 6, 1};

int Level(const std::array<double, 3>& from, double value) {
  for (size_t i = 0; i < from.size(); ++i) {
    if (value >= from[i]) return static_cast<int>(i) + 1;
  }
  return 4;
}

}  // namespace

Status CheckHarm(const Harm& harm) {
  const auto known = [&](const Scale& s) { return s.name == harm.harm_class; };
  if (!harm.harm_class.empty() && std::ranges::none_of(kScales, known)) {
    return {Code::kInvalidArgument,
            "harm is '" + harm.harm_class + "', not one of funny, misleading, harmful, dangerous"};
  }
  if (!(harm.rate >= 0 && harm.rate <= 1)) return {Code::kInvalidArgument, "rate is not between 0 and 1"};
  if (!(harm.people >= 0 && std::isfinite(harm.people)))
    return {Code::kInvalidArgument, "people is not a number of people"};
  if (!(harm.budget_burn >= 0 && std::isfinite(harm.budget_burn)))
    return {Code::kInvalidArgument, "budget_burn is not a rate"};
  return {};
}

std::string SeverityOf(const Harm& harm) {
  int level = Level(kBurn, harm.budget_burn);
  for (const Scale& scale : kScales) {
    if (scale.name == harm.harm_class) level = std::min(level, Level(scale.from, harm.rate * harm.people));
  }
  return "sev" + std::to_string(level);
}

}  // namespace tocsin::respond
