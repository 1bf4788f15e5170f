#include "surface/telemetry_receiver.h"

#include <utility>

namespace tocsin::surface {
namespace {

const char* SignalName(Signal signal) {
  switch (signal) {
    case Signal::kTraces:
      return "traces";
    case Signal::kLogs:
      return "logs";
    case Signal::kMetrics:
      return "metrics";
  }
  return "traces";
}

int64_t Items(const signal::Batch& batch) {
  return static_cast<int64_t>(batch.spans.size() + batch.logs.size() + batch.metrics.size());
}

class Receiver final : public TelemetryReceiver {
 public:
  explicit Receiver(const ReceiverDependencies& dependencies) : to_(dependencies) {}

  void Receive(Signal signal, Encoding encoding, std::string_view body, Done done) override {
    ingest::DecodeOptions options = to_.decode;
    options.received = to_.clock.Now();
    auto decoded = ingest::Decode(signal, body, encoding, options);
    if (!decoded) {
      to_.metrics.Export(SignalName(signal), "malformed", 0, 0);
      return done({decoded.error(), 0, {}});
    }
    ExportAnswer answer{{}, decoded->rejected, std::move(decoded->reason)};
    signal::Batch& batch = decoded->batch;
    const int64_t stored = Items(batch);
    if (batch.empty()) return Answer(signal, stored, std::move(answer), done);
    // A batch of spans all seen before is appended too, though empty: its answer waits for the earlier one.
    to_.duplicates.RemoveSeen(batch);
    to_.templates.Assign(batch, options.received);
    auto ids = std::make_shared<signal::Batch>(IdsOf(batch));
    to_.writer.Append(std::move(batch), [this, signal, stored, ids, answer = std::move(answer),
                                         done = std::move(done)](Result<uint64_t> position) mutable {
      if (!position) {
        to_.duplicates.Forget(*ids);  // so that sending again stores it
        to_.templates.Forget(std::move(ids->log_templates));
        answer = {std::move(position.error()), 0, {}};
      }
      Answer(signal, stored, std::move(answer), done);
    });
  }

 private:
  // What is needed of a batch when it could not be stored.
  static signal::Batch IdsOf(const signal::Batch& batch) {
    signal::Batch ids;
    ids.spans.resize(batch.spans.size());
    for (size_t i = 0; i < batch.spans.size(); ++i) {
      ids.spans[i].trace_id = batch.spans[i].trace_id;
      ids.spans[i].span_id = batch.spans[i].span_id;
    }
    ids.log_templates = batch.log_templates;
    return ids;
  }

  void Answer(Signal signal, int64_t stored, ExportAnswer answer, const Done& done) const {
    if (answer.status.ok()) {
      to_.metrics.Export(SignalName(signal), answer.rejected > 0 ? "partial" : "stored", stored,
                         answer.rejected);
    } else {
      to_.metrics.Export(SignalName(signal), answer.status.retryable() ? "refused" : "failed", 0, 0);
    }
    done(std::move(answer));
  }

  ReceiverDependencies to_;
};

}  // namespace

std::unique_ptr<TelemetryReceiver> MakeTelemetryReceiver(const ReceiverDependencies& dependencies) {
  return std::make_unique<Receiver>(dependencies);
}

}  // namespace tocsin::surface
