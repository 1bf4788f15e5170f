#include "surface/cli/simulate.h"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <memory>
#include <string>

#include "ports/clock.h"
#include "surface/simulate/support_traffic.h"

namespace tocsin::surface {
namespace {

struct SimulateArguments {
  uint64_t seed = 1;
  uint64_t answers = 1200;
  uint64_t change_after = 800;
  std::string change = "model";
  std::string start;
  std::string every = "2m";
  std::string service = "support-bot";
  std::string output;
};

Result<TrafficOptions> OptionsOf(const SimulateArguments& arguments) {
  TrafficOptions options;
  options.seed = arguments.seed;
  options.change_after = arguments.change_after;
  options.service = arguments.service;
  TOCSIN_ASSIGN_OR_RETURN(options.change, ParseTrafficChange(arguments.change));
  TOCSIN_ASSIGN_OR_RETURN(options.every, ParseDuration(arguments.every));
  if (options.every.ns <= 0) return Error(Code::kInvalidArgument, "--every must be longer than nothing");
  if (options.every > Duration::Hours(1)) return Error(Code::kInvalidArgument, "--every is at most 1h");
  if (arguments.start.empty()) {
    // Four standard deviations early, so that no answer is from the future.
    const auto answers = static_cast<double>(arguments.answers);
    const double gaps = answers + 4.0 * std::sqrt(answers);
    options.start = ports::SystemClock().Now() -
                    Duration::Nanos(static_cast<int64_t>(gaps * static_cast<double>(options.every.ns)));
  } else {
    TOCSIN_ASSIGN_OR_RETURN(options.start, ParseTime(arguments.start));
  }
  if (options.start.ns <= 0) return Error(Code::kInvalidArgument, "the first answer would be before 1970");
  return options;
}

Status WriteTraffic(const SimulateArguments& arguments, std::ostream& out) {
  TOCSIN_ASSIGN_OR_RETURN(const TrafficOptions options, OptionsOf(arguments));
  std::ofstream file;
  if (!arguments.output.empty()) {
    file.open(arguments.output, std::ios::binary | std::ios::trunc);
    if (!file) return Status(Code::kInvalidArgument, fmt::format("cannot write {}", arguments.output));
  }
  std::ostream& sink = arguments.output.empty() ? out : file;
  SupportTraffic traffic(options);
  for (uint64_t i = 0; i < arguments.answers && sink; ++i) sink << traffic.NextLine() << '\n';
  sink.flush();
  if (!sink) return Status(Code::kUnavailable, "writing the traffic failed: is the disk full?");
  return Status::Ok();
}

}  // namespace

void AddSimulate(CLI::App& app, CommandContext& context) {
  auto arguments = std::make_shared<SimulateArguments>();
  CLI::App* command = app.add_subcommand(
      "simulate",
      "Write the traffic of a made-up support assistant that changes without notice, as JSON lines");
  command->add_option("--answers", arguments->answers, "How many answers")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000}))
      ->capture_default_str();
  command
      ->add_option("--change", arguments->change,
                   "What changes: none, model, prompt, hallucinate, pretend (actions not done) or mix")
      ->capture_default_str();
  command->add_option("--change-after", arguments->change_after, "Answers before the change")
      ->capture_default_str();
  command->add_option("--seed", arguments->seed, "The same seed gives the same traffic")
      ->capture_default_str();
  command->add_option("--start", arguments->start,
                      "Time of the first answer, RFC 3339 (default: so that it ends about now)");
  command->add_option("--every", arguments->every, "Mean time between answers")->capture_default_str();
  command->add_option("--service", arguments->service, "service.name of the assistant")
      ->capture_default_str();
  command->add_option("-o,--output", arguments->output, "File to write (default: standard output)");
  command->callback([arguments, &context] {
    const Status status = WriteTraffic(*arguments, context.out);
    if (!status.ok()) context.Fail(status);
  });
}

}  // namespace tocsin::surface
