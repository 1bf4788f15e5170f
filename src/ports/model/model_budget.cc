#include "ports/model/model_budget.h"

#include <fmt/format.h>

#include <algorithm>

namespace tocsin::ports {

double ModelPrices::Cost(const ModelUsage& usage) const {
  const double cached = cached_usd_per_million < 0 ? input_usd_per_million : cached_usd_per_million;
  const auto fresh = static_cast<double>(std::max<int64_t>(0, usage.input_tokens - usage.cached_tokens));
  return (fresh * input_usd_per_million + static_cast<double>(usage.cached_tokens) * cached +
          static_cast<double>(usage.output_tokens) * output_usd_per_million) /
         1e6;
}

ModelBudget::ModelBudget(const ModelBudgetLimits& limits, const Clock& clock)
    : limits_(limits), clock_(clock), started_(clock.Monotonic()) {}

Result<ModelBudget::Reservation> ModelBudget::Reserve(size_t request_bytes, int64_t max_output_tokens,
                                                      const ModelPrices& prices) {
  Reservation wanted;
  wanted.input_tokens = static_cast<int64_t>((request_bytes + kBytesPerToken - 1) / kBytesPerToken);
  wanted.output_tokens = std::max<int64_t>(0, max_output_tokens);
  ModelUsage most;
  most.input_tokens = wanted.input_tokens;
  most.output_tokens = wanted.output_tokens;
  wanted.usd = prices.Cost(most);

  const Duration left = TimeLeft();
  const std::lock_guard lock(mutex_);
  const auto refuse = [&](Code code, std::string why) {
    ++spent_.refused;
    return Error(code, std::move(why));
  };
  if (left.ns <= 0) return refuse(Code::kDeadlineExceeded, "the time the model may take is over");
  const int64_t used =
      spent_.input_tokens + spent_.output_tokens + reserved_.input_tokens + reserved_.output_tokens;
  const int64_t tokens = std::max<int64_t>(0, limits_.max_tokens - used);
  if (wanted.input_tokens > tokens || wanted.output_tokens > tokens - wanted.input_tokens) {
    return refuse(Code::kFailedPrecondition,
                  fmt::format("the call could take {} tokens to read and {} to write, {} of {} are left",
                              wanted.input_tokens, wanted.output_tokens, tokens, limits_.max_tokens));
  }
  const double usd = std::max(0.0, limits_.max_usd - spent_.usd - reserved_.usd);
  if (wanted.usd > usd) {
    return refuse(Code::kFailedPrecondition,
                  fmt::format("the call could cost {:.4f} USD, {:.4f} of {:.4f} are left", wanted.usd, usd,
                              limits_.max_usd));
  }
  reserved_.input_tokens += wanted.input_tokens;
  reserved_.output_tokens += wanted.output_tokens;
  reserved_.usd += wanted.usd;
  ++spent_.calls;
  return wanted;
}

void ModelBudget::Remove(const Reservation& reserved) {
  reserved_.input_tokens -= reserved.input_tokens;
  reserved_.output_tokens -= reserved.output_tokens;
  reserved_.usd -= reserved.usd;
}

void ModelBudget::Settle(const Reservation& reserved, const ModelUsage& usage, const ModelPrices& prices) {
  const std::lock_guard lock(mutex_);
  Remove(reserved);
  spent_.input_tokens += std::max<int64_t>(0, usage.input_tokens);
  spent_.output_tokens += std::max<int64_t>(0, usage.output_tokens);
  spent_.usd += std::max(0.0, prices.Cost(usage));
}

void ModelBudget::SettleAsReserved(const Reservation& reserved) {
  const std::lock_guard lock(mutex_);
  Remove(reserved);
  spent_.input_tokens += reserved.input_tokens;
  spent_.output_tokens += reserved.output_tokens;
  spent_.usd += reserved.usd;
}

void ModelBudget::Release(const Reservation& reserved) {
  const std::lock_guard lock(mutex_);
  Remove(reserved);
}

Duration ModelBudget::TimeLeft() const {
  const Duration taken = clock_.Monotonic() - started_;
  return {std::max<int64_t>(0, limits_.max_time.ns - taken.ns)};
}

ModelSpent ModelBudget::Spent() const {
  const std::lock_guard lock(mutex_);
  return spent_;
}

}  // namespace tocsin::ports
