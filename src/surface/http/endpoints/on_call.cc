// Who is on call: now, at a time, in the days to come, and as a calendar.
#include "respond/oncall/icalendar.h"
#include "respond/oncall/schedule.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/json_response.h"
#include "surface/http/problem.h"
#include "surface/http/text_response.h"

namespace tocsin::surface {
namespace {

using nlohmann::ordered_json;
using respond::DispatchConfig;
using respond::Schedule;

constexpr Duration kDay = Duration::Hours(24);

respond::PersonName NamesOf(const DispatchConfig& config) {
  return [&config](const std::string& person) {
    const auto it = config.oncall.people.find(person);
    return it == config.oncall.people.end() ? std::string() : it->second.name;
  };
}

Result<Time> ReadTime(const Request& request, const char* name, Time otherwise) {
  const std::string_view text = request.Query(name);
  if (text.empty()) return otherwise;
  auto time = ParseTime(text);
  if (!time) return Error(time.error().WithContext("query parameter '" + std::string(name) + "'"));
  return *time;
}

Result<const Schedule*> FindSchedule(const DispatchConfig& config, const std::string& name) {
  const auto it = config.oncall.schedules.find(name);
  if (it != config.oncall.schedules.end()) return &it->second;
  std::string known;
  for (const auto& [other, schedule] : config.oncall.schedules) known += (known.empty() ? "" : ", ") + other;
  return Error(Code::kNotFound, "there is no schedule '" + name + "'" +
                                    (known.empty() ? ": none is configured" : "; there are " + known));
}

Result<ordered_json> WhoJson(const Schedule& schedule, Time at, const DispatchConfig& config) {
  TOCSIN_ASSIGN_OR_RETURN(const auto who, respond::WhoIsOn(schedule, at));
  const auto name = NamesOf(config);
  ordered_json out = {{"schedule", who.schedule}, {"person", who.person}, {"name", name(who.person)}};
  out["until"] = who.until.known() ? ordered_json(FormatTime(who.until)) : ordered_json();
  out["next"] = who.next;
  return out;
}

Result<Response> Everybody(const ApiDependencies& api, const Request& request) {
  const auto config = api.dispatch.config();
  TOCSIN_ASSIGN_OR_RETURN(const Time at, ReadTime(request, "at", api.clock.Now()));
  if (WantsText(request)) {
    TOCSIN_ASSIGN_OR_RETURN(
        const auto zone,
        respond::TimeZone::Find(request.Query("zone").empty() ? "UTC" : request.Query("zone")));
    std::vector<const Schedule*> schedules;
    for (const auto& [name, schedule] : config->oncall.schedules) schedules.push_back(&schedule);
    if (schedules.empty()) return TextResponse("No schedule is configured: see docs/formats/oncall.md.\n");
    TOCSIN_ASSIGN_OR_RETURN(std::string text,
                            respond::RenderWhoIsOnCall(schedules, at, zone, NamesOf(*config)));
    return TextResponse(std::move(text));
  }
  ordered_json list = ordered_json::array();
  for (const auto& [name, schedule] : config->oncall.schedules) {
    TOCSIN_ASSIGN_OR_RETURN(auto one, WhoJson(schedule, at, *config));
    list.push_back(std::move(one));
  }
  return JsonResponse(ordered_json{{"at", FormatTime(at)}, {"schedules", std::move(list)}});
}

// 28 days back and 180 ahead: what calendars show. The stamp is the start of the day, so that an answer stays
// the same until the schedule or the day changes.
Result<Response> Calendar(const ApiDependencies& api, const Request& request) {
  const auto config = api.dispatch.config();
  TOCSIN_ASSIGN_OR_RETURN(const Schedule* schedule,
                          FindSchedule(*config, std::string(request.Param("schedule"))));
  const Time now = api.clock.Now();
  const Time today{now.ns - now.ns % kDay.ns};
  Response response;
  response.content_type = "text/calendar; charset=utf-8";
  TOCSIN_ASSIGN_OR_RETURN(
      response.body, respond::RenderICalendar(*schedule, today - Duration::Hours(24 * 28),
                                              today + Duration::Hours(24 * 180), today, NamesOf(*config)));
  return response;
}

Result<Response> One(const ApiDependencies& api, const Request& request) {
  const auto config = api.dispatch.config();
  TOCSIN_ASSIGN_OR_RETURN(const Schedule* schedule,
                          FindSchedule(*config, std::string(request.Param("schedule"))));
  TOCSIN_ASSIGN_OR_RETURN(const Time at, ReadTime(request, "at", api.clock.Now()));
  TOCSIN_ASSIGN_OR_RETURN(const auto who, WhoJson(*schedule, at, *config));
  return JsonResponse(who);
}

Result<Response> ShiftsOf(const ApiDependencies& api, const Request& request) {
  const auto config = api.dispatch.config();
  TOCSIN_ASSIGN_OR_RETURN(const Schedule* schedule,
                          FindSchedule(*config, std::string(request.Param("schedule"))));
  TOCSIN_ASSIGN_OR_RETURN(const Time from, ReadTime(request, "from", api.clock.Now()));
  TOCSIN_ASSIGN_OR_RETURN(const Time to, ReadTime(request, "to", from + Duration::Hours(24 * 14)));
  if (to <= from) return Error(Code::kInvalidArgument, "'to' is not after 'from'");
  TOCSIN_ASSIGN_OR_RETURN(const auto shifts, respond::Shifts(*schedule, from, to));
  const auto name = NamesOf(*config);
  ordered_json list = ordered_json::array();
  for (const auto& shift : shifts) {
    list.push_back({{"person", shift.person},
                    {"name", name(shift.person)},
                    {"from", FormatTime(shift.from)},
                    {"to", FormatTime(shift.to)}});
  }
  return JsonResponse(ordered_json{
      {"schedule", schedule->name}, {"zone", schedule->zone.name()}, {"shifts", std::move(list)}});
}

void AddOne(Router& router, const ApiDependencies& api, const char* path,
            Result<Response> (*make)(const ApiDependencies&, const Request&), Operation operation) {
  Route route{"GET", path, nullptr, std::move(operation), true};
  route.handler = [&api, make](Request&& request, const Responder& respond) {
    auto response = make(api, request);
    respond(response ? std::move(*response) : ProblemResponse(response.error()));
  };
  router.Add(std::move(route));
}

}  // namespace

void AddOnCall(Router& router, const ApiDependencies& api) {
  const Operation::Parameter at{"at", "query", "string", "RFC 3339; now when absent"};
  Operation all;
  all.summary = "Who is on call, for each schedule";
  all.parameters = {at,
                    {"format", "query", "string", "'text': one line each, for people"},
                    {"zone", "query", "string", "of times in the text; UTC when absent"}};
  all.answers = {{200, "application/json", "{at, schedules: [{schedule, person, name, until, next}]}"},
                 {400, "application/problem+json", "a parameter is wrong"}};
  AddOne(router, api, "/api/v1/oncall", &Everybody, std::move(all));

  // Before the one that would take ".ics" for a part of the name.
  Operation calendar;
  calendar.summary = "A schedule as a calendar to subscribe to (RFC 5545)";
  calendar.parameters = {{"schedule", "path", "string", "its name"}};
  calendar.answers = {{200, "text/calendar", "shifts from 28 days ago to 180 days ahead"},
                      {404, "application/problem+json", "no schedule has this name"}};
  AddOne(router, api, "/api/v1/oncall/{schedule}.ics", &Calendar, std::move(calendar));

  Operation one;
  one.summary = "Who is on call for one schedule";
  one.parameters = {{"schedule", "path", "string", "its name"}, at};
  one.answers = {{200, "application/json", "{schedule, person, name, until, next}"},
                 {404, "application/problem+json", "no schedule has this name"}};
  AddOne(router, api, "/api/v1/oncall/{schedule}", &One, std::move(one));

  Operation shifts;
  shifts.summary = "The shifts of a schedule, without gaps; person is empty where it is nobody's";
  shifts.parameters = {{"schedule", "path", "string", "its name"},
                       {"from", "query", "string", "RFC 3339; now when absent"},
                       {"to", "query", "string", "RFC 3339; 14 days later when absent, at most 400"}};
  shifts.answers = {{200, "application/json", "{schedule, zone, shifts: [{person, name, from, to}]}"},
                    {404, "application/problem+json", "no schedule has this name"}};
  AddOne(router, api, "/api/v1/oncall/{schedule}/shifts", &ShiftsOf, std::move(shifts));
}

}  // namespace tocsin::surface
