// tocsin replay: recorded answers, sent as live telemetry.
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "kernel/id.h"
#include "ports/clock.h"
#include "ports/http_client.h"
#include "surface/cli/commands.h"
#include "surface/cli/server_client.h"
#include "surface/replay/exporter.h"
#include "surface/replay/otlp_encoder.h"
#include "surface/replay/recorded_answer.h"
#include "surface/replay/replay_plan.h"

namespace tocsin::surface {
namespace {

volatile std::sig_atomic_t interrupted = 0;

struct Arguments {
  std::vector<std::string> files;
  std::string url;
  std::string protocol = "http";
  std::string rate = "100/s";
  bool as_fast_as_possible = false;
  std::string start, every, span;
  std::string stream_by = "auto";
  uint64_t batch = 50;
  uint64_t shuffle_seed = 0;
  bool shuffled = false;
  bool quiet = false;
  ReplayOptions plan;
};

Result<double> ParseRate(std::string text) {
  if (text.ends_with("/s")) text.resize(text.size() - 2);
  try {
    size_t used = 0;
    const double rate = std::stod(text, &used);
    if (used == text.size() && rate > 0 && rate <= 1e6) return rate;
  } catch (const std::exception&) {
    // said below
  }
  return Error(Code::kInvalidArgument,
               fmt::format("--rate '{}' is not a number of answers per second, as in 50/s", text));
}

Status ReadTimes(Arguments& arguments) {
  if (!arguments.start.empty()) {
    TOCSIN_ASSIGN_OR_RETURN(arguments.plan.start, ParseTime(arguments.start));
  }
  if (!arguments.every.empty()) {
    TOCSIN_ASSIGN_OR_RETURN(arguments.plan.every, ParseDuration(arguments.every));
  }
  if (!arguments.span.empty()) {
    TOCSIN_ASSIGN_OR_RETURN(arguments.plan.span, ParseDuration(arguments.span));
  }
  return Status::Ok();
}

Status ReadChoices(Arguments& arguments, ExporterOptions& exporter) {
  if (arguments.protocol == "json") exporter.protocol = Protocol::kJson;
  if (arguments.protocol == "grpc") exporter.protocol = Protocol::kGrpc;
  exporter.url = arguments.url;
  if (exporter.url.empty())
    exporter.url = arguments.protocol == "grpc" ? "http://127.0.0.1:4317" : kDefaultUrl;
  exporter.cancelled = [] { return interrupted != 0; };
  if (arguments.stream_by == "task") arguments.plan.stream_by = StreamBy::kTask;
  if (arguments.stream_by == "dataset") arguments.plan.stream_by = StreamBy::kDataset;
  if (arguments.stream_by == "none") arguments.plan.stream_by = StreamBy::kNone;
  if (arguments.shuffled) arguments.plan.shuffle_seed = arguments.shuffle_seed;
  return ReadTimes(arguments);
}

// Keeps to the rate, counts, tells.
class Replay {
 public:
  Replay(const Arguments& arguments, ReplayPlan plan, double rate, Exporter& exporter,
         CommandContext& context)
      : arguments_(arguments),
        plan_(std::move(plan)),
        rate_(rate),
        exporter_(exporter),
        context_(context),
        // With the plan's first time in it a run has ids of its own, and a resumed run those of the first.
        run_key_(fmt::format("{}@{}", arguments.files.front(),
                             plan_.start.known() ? plan_.start.ns : ports::SystemClock().Now().ns)) {}

  void Run() {
    Announce();
    const auto began = std::chrono::steady_clock::now();
    const std::span<const PlannedAnswer> all(plan_.answers);
    while (sent_ < all.size() && interrupted == 0) {
      const size_t count = std::min<size_t>(BatchSize(), all.size() - sent_);
      const auto part = all.subspan(sent_, count);
      const Status status = SendPart(part);
      if (!status.ok()) return Stop(status, part.front());
      sent_ += count;
      Progress(began, false);
      Pace(began);
    }
    Progress(began, true);
    if (interrupted != 0 && sent_ < all.size()) {
      return Stop(Status(Code::kCancelled, "interrupted"), all[sent_]);
    }
    Finish();
  }

 private:
  void Announce() {
    const char* how = plan_.times == ReplayTimes::kSimulated  ? "Arrival times are simulated"
                      : plan_.times == ReplayTimes::kRecorded ? "Arrival times are those recorded"
                                                              : "Arrival times are those of sending";
    context_.err << fmt::format("Sending {} of {} recorded answers", plan_.answers.size(), plan_.total);
    if (arguments_.files.size() > 1)
      context_.err << fmt::format(" from {} files in order", arguments_.files.size());
    context_.err << ".\n" << how;
    if (plan_.times != ReplayTimes::kSending) {
      context_.err << fmt::format(": {} to {}", FormatTime(plan_.start), FormatTime(plan_.end));
    }
    context_.err << ".\n";
    if (arguments_.plan.hide_model) context_.err << "The reported model is hidden: a swap is silent.\n";
  }

  size_t BatchSize() const {
    if (rate_ <= 0) return arguments_.batch;
    return std::max<size_t>(1, std::min<size_t>(arguments_.batch, static_cast<size_t>(rate_ / 4)));
  }

  Status SendPart(std::span<const PlannedAnswer> part) {
    const auto request = EncodeAnswers(part, run_key_, ports::SystemClock().Now());
    auto outcome = exporter_.Send(request);
    if (!outcome) return outcome.error();
    waits_ += outcome->waits;
    rejected_ += outcome->rejected;
    if (!outcome->message.empty() && outcome->message != said_) {
      said_ = outcome->message;
      context_.err << fmt::format("\nthe server rejected {} spans near {}:{}: {}\n", outcome->rejected,
                                  part.front().answer.file, part.front().answer.line, outcome->message);
    }
    if (arguments_.protocol == "grpc") return Status::Ok();
    for (const PlannedAnswer& planned : part) {
      if (planned.answer.feedback) TOCSIN_RETURN_IF_ERROR(SendFeedback(planned));
    }
    return Status::Ok();
  }

  Status SendFeedback(const PlannedAnswer& planned) {
    const AnswerIds ids = IdsOf(run_key_, planned.index);
    const RecordedFeedback& feedback = *planned.answer.feedback;
    const Time time = planned.time.known() ? planned.time : ports::SystemClock().Now();
    nlohmann::json body = {{"id", HexEncode(ids.trace_id)},
                           {"trace_id", HexEncode(ids.trace_id)},
                           {"span_id", HexEncode(ids.span_id)},
                           {"service", planned.answer.service},
                           {"time", FormatTime(time + Duration::Seconds(30))}};
    if (feedback.score) body["score"] = *feedback.score;
    if (feedback.label == "thumbs_up" || feedback.label == "thumbs_down") {
      if (!feedback.score) body["thumbs"] = feedback.label.substr(7);
    } else if (!feedback.label.empty()) {
      body["label"] = feedback.label;
    }
    if (!feedback.comment.empty()) body["comment"] = feedback.comment;
    if (!planned.answer.conversation_id.empty()) body["conversation_id"] = planned.answer.conversation_id;
    const std::string url = arguments_.url.empty() ? kDefaultUrl : arguments_.url;
    for (int attempt = 0;; ++attempt) {
      const auto answer = TellServer(url, "/api/v1/feedback", body.dump());
      if (answer) return Status::Ok();
      if (!answer.error().retryable() || attempt >= 30 || interrupted != 0) return answer.error();
      std::this_thread::sleep_for(std::chrono::seconds(1));
    }
  }

  void Pace(std::chrono::steady_clock::time_point began) const {
    if (rate_ <= 0) return;
    const auto due = began + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                 std::chrono::duration<double>(static_cast<double>(sent_) / rate_));
    while (std::chrono::steady_clock::now() < due && interrupted == 0) {
      std::this_thread::sleep_until(
          std::min(due, std::chrono::steady_clock::now() + std::chrono::milliseconds(100)));
    }
  }

  void Progress(std::chrono::steady_clock::time_point began, bool last) {
    if (arguments_.quiet) return;
    const auto now = std::chrono::steady_clock::now();
    if (!last && now - shown_ < std::chrono::milliseconds(500)) return;
    shown_ = now;
    const double seconds = std::chrono::duration<double>(now - began).count();
    context_.err << fmt::format(
        "\r{:>7} of {}  {:.0f}/s{}", sent_, plan_.answers.size(),
        seconds > 0 ? static_cast<double>(sent_) / seconds : 0.0,
        waits_ > 0 ? fmt::format("  (asked to wait {} times)", waits_) : std::string());
    if (last) context_.err << '\n';
    context_.err.flush();
  }

  void Stop(const Status& status, const PlannedAnswer& at) {
    const Status located = status.WithContext(fmt::format("{}:{}", at.answer.file, at.answer.line));
    context_.err << '\n';
    context_.Fail(located);
    context_.err << fmt::format(
        "{} answers were acknowledged; go on with --offset {}{}\n", sent_, at.index,
        plan_.times == ReplayTimes::kSimulated ? " --start " + FormatTime(plan_.start) : "");
  }

  void Finish() {
    context_.out << fmt::format("sent {} answers, every one acknowledged as durable", sent_);
    if (rejected_ > 0) context_.out << fmt::format("; the server rejected {} spans", rejected_);
    context_.out << '\n';
    if (rejected_ > 0) context_.exit_code = 1;
  }

  const Arguments& arguments_;
  ReplayPlan plan_;
  double rate_;  // answers per second, 0 = as fast as possible
  Exporter& exporter_;
  CommandContext& context_;
  std::string run_key_;
  size_t sent_ = 0;
  uint64_t waits_ = 0;
  int64_t rejected_ = 0;
  std::string said_;
  std::chrono::steady_clock::time_point shown_;
};

Status RunReplay(Arguments& arguments, CommandContext& context) {
  ExporterOptions exporter_options;
  TOCSIN_RETURN_IF_ERROR(ReadChoices(arguments, exporter_options));
  double rate = 0;
  if (!arguments.as_fast_as_possible) {
    TOCSIN_ASSIGN_OR_RETURN(rate, ParseRate(arguments.rate));
  }
  std::vector<std::vector<RecordedAnswer>> files;
  for (const std::string& path : arguments.files) {
    TOCSIN_ASSIGN_OR_RETURN(auto answers, ReadRecordedAnswers(path));
    files.push_back(std::move(answers));
  }
  TOCSIN_ASSIGN_OR_RETURN(ReplayPlan plan,
                          PlanReplay(std::move(files), arguments.plan, ports::SystemClock().Now()));
  TOCSIN_ASSIGN_OR_RETURN(const auto exporter, Exporter::Open(exporter_options));
  interrupted = 0;
  const auto previous = std::signal(SIGINT, [](int) { interrupted = 1; });
  Replay(arguments, std::move(plan), rate, *exporter, context).Run();
  std::signal(SIGINT, previous);
  return Status::Ok();
}

void AddOptions(CLI::App& command, Arguments& arguments) {
  command.add_option("files", arguments.files, "JSONL or .jsonl.zst files, sent in this order")->required();
  command.add_option("--url", arguments.url, "The server (with --protocol grpc: of its gRPC port)");
  command.add_option("--protocol", arguments.protocol, "http (protobuf), json or grpc")
      ->check(CLI::IsMember({"http", "json", "grpc"}))
      ->capture_default_str();
  command.add_option("--rate", arguments.rate, "Answers per second")->capture_default_str();
  command.add_flag("--as-fast-as-possible", arguments.as_fast_as_possible, "No rate");
  command.add_option("--batch", arguments.batch, "Answers per request")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command.add_option("--start", arguments.start, "Arrival time of the first answer (RFC 3339)");
  auto* every =
      command.add_option("--every", arguments.every, "Time between arrivals, as in 30s (the default)");
  command.add_option("--span", arguments.span, "Time of the whole replay instead, as in 24h")
      ->excludes(every);
  command.add_flag("--real-time", arguments.plan.real_time, "Arrival times are those of sending");
  command.add_option("--service", arguments.plan.service, "Service name of every answer");
  command.add_option("--prompt-name", arguments.plan.prompt_name, "Prompt name of every answer");
  command
      .add_option("--stream-by", arguments.stream_by, "What names the prompt: auto, task, dataset or none")
      ->check(CLI::IsMember({"auto", "task", "dataset", "none"}))
      ->capture_default_str();
  command.add_option("--model", arguments.plan.model, "Requested model of every answer");
  command.add_option("--reported-model", arguments.plan.reported_model,
                     "Model every answer is reported to come from");
  command.add_flag("--hide-model", arguments.plan.hide_model, "Report the requested model, whoever answered");
  command.add_option("--before-model", arguments.plan.before_model, "Swap: rows of this model come first");
  command.add_option("--after-model", arguments.plan.after_model, "Swap: rows of this model come after");
  command.add_option("--offset", arguments.plan.offset, "Leave out so many answers at the start of the plan");
  command.add_option("--limit", arguments.plan.limit, "Send at most so many");
  command.add_flag("--quiet", arguments.quiet, "No progress");
}

}  // namespace

void AddReplay(CLI::App& app, CommandContext& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("replay", "Send recorded answers into a running server as live telemetry");
  AddOptions(*command, *arguments);
  CLI::Option* seed = command->add_option("--shuffle-seed", arguments->shuffle_seed,
                                          "Shuffle each file (or task and model) by this seed");
  command->callback([arguments, seed, &context] {
    arguments->shuffled = seed->count() > 0;
    if (const Status status = RunReplay(*arguments, context); !status.ok()) context.Fail(status);
  });
}

}  // namespace tocsin::surface
