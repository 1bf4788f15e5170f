#include "stats/e_bh.h"

#include <algorithm>
#include <cmath>

namespace tocsin::stats {

std::vector<size_t> EBenjaminiHochberg(std::span<const double> log_e_values, double fdr) {
  std::vector<size_t> order;
  for (size_t i = 0; i < log_e_values.size(); ++i) {
    if (!std::isnan(log_e_values[i])) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return log_e_values[a] > log_e_values[b]; });
  const double log_all = std::log(static_cast<double>(log_e_values.size()));
  size_t rejected = 0;
  for (size_t k = 1; k <= order.size(); ++k) {
    const double bar = log_all - std::log(static_cast<double>(k)) - std::log(fdr);
    if (log_e_values[order[k - 1]] >= bar) rejected = k;
  }
  order.resize(rejected);
  std::sort(order.begin(), order.end());
  return order;
}

}  // namespace tocsin::stats
