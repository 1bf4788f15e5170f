#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "ports/clock.h"
#include "respond/oncall/time_zone.h"
#include "respond/render_text.h"
#include "surface/cli/commands.h"
#include "surface/cli/server_client.h"
#include "surface/cli/url_encode.h"

namespace tocsin::surface {
namespace {

struct Options {
  std::string url = kDefaultUrl;
  std::string schedule, at, zone;
  int days = 14;
  bool json = false;
};

void Everybody(const Options& options, CommandContext& context) {
  std::string path = "/api/v1/oncall";
  std::string separator = "?";
  for (const auto& [name, value] : {std::pair("at", options.at), std::pair("zone", options.zone)}) {
    if (value.empty()) continue;
    path += separator + name + "=" + UrlEncode(value);
    separator = "&";
  }
  const auto body = AskServer(options.url, path, options.json ? "application/json" : "text/plain");
  if (!body) return context.Fail(body.error());
  context.out << *body;
}

// From a server that may be of another version: what is missing is left out.
Status Print(const std::string& body, const Options& options, std::ostream& out) {
  const auto answer = nlohmann::json::parse(body, nullptr, false);
  if (!answer.is_object()) return Status(Code::kUnavailable, "the server's answer is not JSON");
  try {
    TOCSIN_ASSIGN_OR_RETURN(
        const auto zone,
        respond::TimeZone::Find(options.zone.empty() ? answer.value("zone", "UTC") : options.zone));
    for (const auto& shift : answer.value("shifts", nlohmann::json::array())) {
      TOCSIN_ASSIGN_OR_RETURN(const Time from, ParseTime(shift.value("from", "")));
      TOCSIN_ASSIGN_OR_RETURN(const Time to, ParseTime(shift.value("to", "")));
      const std::string person = shift.value("person", "");
      const std::string name = shift.value("name", "");
      std::string who = person.empty() ? "nobody" : person;
      if (!name.empty() && name != person) who = name + " (" + person + ")";
      out << fmt::format("{}  to  {}  {}\n", zone.Format(from), zone.Format(to), respond::Safe(who));
    }
    out << fmt::format("Times in {}.\n", zone.name());
    return Status::Ok();
  } catch (...) {
    return Status::FromException("reading the server's answer");
  }
}

void One(const Options& options, CommandContext& context) {
  Time from = ports::SystemClock().Now();
  if (!options.at.empty()) {
    const auto at = ParseTime(options.at);
    if (!at) return context.Fail(at.error());
    from = *at;
  }
  const Time to = from + Duration::Hours(24 * options.days);
  const auto body =
      AskServer(options.url,
                fmt::format("/api/v1/oncall/{}/shifts?from={}&to={}", UrlEncode(options.schedule),
                            UrlEncode(FormatTime(from)), UrlEncode(FormatTime(to))),
                "application/json");
  if (!body) return context.Fail(body.error());
  if (options.json) {
    context.out << *body;
    return;
  }
  if (const Status status = Print(*body, options, context.out); !status.ok()) context.Fail(status);
}

}  // namespace

void AddOnCallCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("oncall", "Who is on call, now and in the days to come");
  command->add_option("schedule", options->schedule,
                      "Its shifts; who is on now for each schedule when absent");
  command->add_option("--at", options->at, "At this time, or from it on, as in 2026-11-24T02:10:00Z");
  command->add_option("--days", options->days, "So many days of a schedule")
      ->capture_default_str()
      ->check(CLI::Range(1, 365));
  command->add_option("--zone", options->zone, "Times in this zone; else in the schedule's, or UTC");
  command->add_flag("--json", options->json, "JSON instead of text");
  command->add_option("--url", options->url, "The server")->capture_default_str();
  command->callback([options, &context] {
    options->schedule.empty() ? Everybody(*options, context) : One(*options, context);
  });
}

}  // namespace tocsin::surface
