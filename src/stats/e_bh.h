// e-BH: which of many e-values to act on, at false discovery rate `fdr` under arbitrary dependence
// (Wang & Ramdas, "False discovery rate control with e-values", JRSS-B 2022).
//
// With K e-values sorted descending, reject the k largest for the largest k with e_(k) >= K / (k * fdr).
// Input in logs. Returns the indices rejected, ascending. NaN never rejects. O(K log K), thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace tocsin::stats {

std::vector<size_t> EBenjaminiHochberg(std::span<const double> log_e_values, double fdr);

}  // namespace tocsin::stats
