#include "respond/lifecycle/incident_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "respond/json_text.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;

int64_t Integer(const json& body, const char* name) {
  const auto it = body.find(name);
  return it != body.end() && it->is_number_integer() ? it->get<int64_t>() : 0;
}

double Number(const json& body, const char* name) {
  const auto it = body.find(name);
  return it != body.end() && it->is_number() ? it->get<double>() : 0;
}

// The first time counts.
void Stop(IncidentView& view, const char* clock, Time at) { view.clocks.emplace(clock, at); }

void FoldState(IncidentView& view, const std::string& state, const json& body, Time at) {
  view.state = state;
  if (state == "monitoring") Stop(view, "mitigated", at);
  if (state == "closed") {
    Stop(view, "closed", at);
    Stop(view, "recovered", at);
  }
  if (state == "merged") view.merged_into = JsonText(body, "into");
  if (state != "open") return;
  // Opened again: what had been reached is to be reached anew.
  view.merged_into.clear();
  for (const char* clock : {"mitigated", "recovered", "closed"}) view.clocks.erase(clock);
}

void FoldTask(IncidentView& view, const std::string& kind, const json& body, Time at) {
  if (kind == "incident.task_added") {
    view.tasks.push_back({Integer(body, "number"), JsonText(body, "text"), JsonText(body, "track"),
                          JsonText(body, "assignee"), false, at, Time{}});
    return;
  }
  for (auto& task : view.tasks) {
    if (task.number != Integer(body, "number")) continue;
    task.done = true;
    task.finished = at;
  }
}

void FoldRest(IncidentView& view, const std::string& kind, const json& body, const signal::Event& event) {
  if (kind == "incident.acknowledged" || kind == "incident.snoozed") {
    view.acknowledged_by = event.actor;
    Stop(view, "acknowledged", event.time);
  } else if (kind == "incident.unacknowledged" || kind == "escalation.ack_expired") {
    view.acknowledged_by.clear();
  } else if (kind == "incident.assigned") {
    view.roles[JsonText(body, "role")] = JsonText(body, "person");
  } else if (kind == "incident.severity") {
    view.severity = JsonText(body, "severity");
    view.harm = {JsonText(body, "harm"), Number(body, "rate"), Number(body, "people"),
                 Number(body, "budget_burn")};
  } else if (kind == "incident.noted") {
    ++view.notes;
  } else if (kind == "incident.track") {
    auto& track = view.tracks[JsonText(body, "track")];
    if (const auto owner = JsonText(body, "owner"); !owner.empty()) track.owner = owner;
    if (const auto status = JsonText(body, "status"); !status.empty()) track.status = status;
    track.updated = event.time;
    track.next_due = Time{Integer(body, "next_due_ns")};
  } else if (kind == "incident.linked") {
    view.links.push_back({JsonText(body, "url"), JsonText(body, "title")});
  } else if (kind == "incident.factor") {
    view.factors.push_back({JsonText(body, "surface"), JsonText(body, "text"), JsonText(body, "claim")});
  } else if (kind == "incident.clock") {
    Stop(view, JsonText(body, "clock").c_str(), event.time);
  } else if (kind == "incident.absorbed") {
    view.merged_from.push_back(JsonText(body, "from"));
  } else if (kind == "incident.released") {
    std::erase(view.merged_from, JsonText(body, "from"));
  }
}

json TaskJson(const IncidentTask& t) {
  return {{"number", t.number},          {"text", t.text}, {"track", t.track},
          {"assignee", t.assignee},      {"done", t.done}, {"created_ns", t.created.ns},
          {"finished_ns", t.finished.ns}};
}

}  // namespace

void Fold(IncidentView& view, const signal::Event& event) {
  const json body = json::parse(event.body_json, nullptr, false);
  if (!body.is_object()) return;
  if (event.kind == "incident.opened") {
    view.state = "open";
    Stop(view, "detected", event.time);
  } else if (event.kind == "incident.state") {
    FoldState(view, JsonText(body, "to"), body, event.time);
  } else if (event.kind.starts_with("incident.task_")) {
    FoldTask(view, event.kind, body, event.time);
  } else {
    FoldRest(view, event.kind, body, event);
  }
}

IncidentView FoldTimeline(std::span<const signal::Event> events) {
  IncidentView view;
  for (const auto& event : events) Fold(view, event);
  return view;
}

json ViewToJson(const IncidentView& view) {
  json out = {
      {"state", view.state}, {"severity", view.severity},       {"acknowledged_by", view.acknowledged_by},
      {"roles", view.roles}, {"merged_into", view.merged_into}, {"merged_from", view.merged_from},
      {"notes", view.notes}};
  out["harm"] = {{"class", view.harm.harm_class},
                 {"rate", view.harm.rate},
                 {"people", view.harm.people},
                 {"budget_burn", view.harm.budget_burn}};
  out["tracks"] = json::object();
  for (const auto& [name, t] : view.tracks) {
    out["tracks"][name] = {{"owner", t.owner},
                           {"status", t.status},
                           {"updated_ns", t.updated.ns},
                           {"next_due_ns", t.next_due.ns}};
  }
  out["clocks"] = json::object();
  for (const auto& [name, at] : view.clocks) out["clocks"][name] = at.ns;
  for (const char* list : {"tasks", "links", "factors"}) out[list] = json::array();
  for (const auto& t : view.tasks) out["tasks"].push_back(TaskJson(t));
  for (const auto& l : view.links) out["links"].push_back({{"url", l.url}, {"title", l.title}});
  for (const auto& f : view.factors)
    out["factors"].push_back({{"surface", f.surface}, {"text", f.text}, {"claim", f.claim}});
  return out;
}

IncidentView ViewFromJson(const json& in) {
  IncidentView view;
  if (!in.is_object()) return view;
  view.state = JsonText(in, "state");
  view.severity = JsonText(in, "severity");
  view.acknowledged_by = JsonText(in, "acknowledged_by");
  view.merged_into = JsonText(in, "merged_into");
  view.notes = Integer(in, "notes");
  const auto each = [&](const char* name, const auto& take) {
    const auto it = in.find(name);
    if (it == in.end()) return;
    for (const auto& [key, value] : it->items()) take(key, value);
  };
  each("merged_from", [&](const auto&, const json& v) { view.merged_from.push_back(v.get<std::string>()); });
  each("roles", [&](const auto& key, const json& v) { view.roles[key] = v.get<std::string>(); });
  each("clocks", [&](const auto& key, const json& v) { view.clocks[key] = Time{v.get<int64_t>()}; });
  each("tracks", [&](const auto& key, const json& v) {
    view.tracks[key] = {JsonText(v, "owner"), JsonText(v, "status"), Time{Integer(v, "updated_ns")},
                        Time{Integer(v, "next_due_ns")}};
  });
  each("tasks", [&](const auto&, const json& v) {
    view.tasks.push_back({Integer(v, "number"), JsonText(v, "text"), JsonText(v, "track"),
                          JsonText(v, "assignee"), v.value("done", false), Time{Integer(v, "created_ns")},
                          Time{Integer(v, "finished_ns")}});
  });
  each("links",
       [&](const auto&, const json& v) { view.links.push_back({JsonText(v, "url"), JsonText(v, "title")}); });
  each("factors", [&](const auto&, const json& v) {
    view.factors.push_back({JsonText(v, "surface"), JsonText(v, "text"), JsonText(v, "claim")});
  });
  if (const auto it = in.find("harm"); it != in.end()) {
    view.harm = {JsonText(*it, "class"), Number(*it, "rate"), Number(*it, "people"),
                 Number(*it, "budget_burn")};
  }
  return view;
}

}  // namespace tocsin::respond
