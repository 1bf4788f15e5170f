#include "stats/contrast.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace tocsin::stats {
namespace {

struct Cell {
  uint64_t shifted = 0, count = 0;
};

double LogBeta(double a, double b) { return std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b); }

// log integral p^k (1-p)^(n-k) Beta(1/2,1/2)(dp)
double LogMixture(const Cell& c) {
  const double k = static_cast<double>(c.shifted);
  const double n = static_cast<double>(c.count);
  return LogBeta(k + 0.5, n - k + 0.5) - LogBeta(0.5, 0.5);
}

double LogBest(const Cell& c) {
  const double k = static_cast<double>(c.shifted);
  const double n = static_cast<double>(c.count);
  double log_likelihood = 0.0;
  if (k > 0.0) log_likelihood += k * std::log(k / n);
  if (k < n) log_likelihood += (n - k) * std::log1p(-k / n);
  return log_likelihood;
}

double Rate(const ContrastValue& v) { return static_cast<double>(v.shifted) / static_cast<double>(v.count); }

// Keeps the most frequent max_values - 1 values and pools the rest as "(other)".
std::map<std::string, Cell> PoolRare(const std::map<std::string, Cell>& cells, size_t max_values) {
  if (cells.size() <= max_values) return cells;
  std::vector<std::pair<std::string, Cell>> order(cells.begin(), cells.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second.count > b.second.count; });
  std::map<std::string, Cell> out;
  for (size_t i = 0; i < order.size(); ++i) {
    Cell& cell = out[i + 1 < max_values ? order[i].first : "(other)"];
    cell.shifted += order[i].second.shifted;
    cell.count += order[i].second.count;
  }
  return out;
}

ContrastAttribute Judge(const std::string& name, const std::map<std::string, Cell>& all, size_t max_values) {
  ContrastAttribute out;
  out.attribute = name;
  out.varied = all.size() > 1;
  Cell pooled;
  double log_mixture = 0.0;
  for (const auto& [value, cell] : PoolRare(all, max_values)) {
    pooled.shifted += cell.shifted;
    pooled.count += cell.count;
    log_mixture += LogMixture(cell);
    out.values.push_back({value, cell.shifted, cell.count, ClopperPearson(cell.shifted, cell.count)});
  }
  out.log_e_value = log_mixture - LogBest(pooled);
  std::stable_sort(out.values.begin(), out.values.end(),
                   [](const ContrastValue& a, const ContrastValue& b) { return Rate(a) > Rate(b); });
  double low = 1.0;
  double high = 0.0;
  for (const ContrastValue& v : out.values) {
    if (v.count < 5) continue;
    low = std::min(low, Rate(v));
    high = std::max(high, Rate(v));
  }
  out.spread = std::max(0.0, high - low);
  return out;
}

}  // namespace

std::vector<ContrastAttribute> RankAttributes(const std::vector<ContrastRecord>& records, size_t max_values) {
  std::map<std::string, std::map<std::string, Cell>> table;
  for (const ContrastRecord& record : records) {
    for (const auto& [name, value] : record.attributes) {
      Cell& cell = table[name][value];
      ++cell.count;
      cell.shifted += record.shifted ? 1 : 0;
    }
  }
  std::vector<ContrastAttribute> out;
  for (const auto& [name, cells] : table) out.push_back(Judge(name, cells, std::max<size_t>(max_values, 2)));
  std::stable_sort(out.begin(), out.end(), [](const ContrastAttribute& a, const ContrastAttribute& b) {
    if (a.varied != b.varied) return a.varied;
    return a.log_e_value > b.log_e_value;
  });
  return out;
}

}  // namespace tocsin::stats
