// The few special functions the exact intervals need. Thread-safe, no state.
#pragma once

namespace tocsin::stats {

// Regularised incomplete beta I_x(a, b), a, b > 0 (continued fraction by Lentz; Numerical Recipes 6.4).
double IncompleteBeta(double a, double b, double x);
// x with I_x(a, b) = p.
double InverseIncompleteBeta(double a, double b, double p);
// Standard normal distribution function and its inverse (by bisection; not for hot paths).
double NormalCdf(double x);
double NormalQuantile(double p);

}  // namespace tocsin::stats
