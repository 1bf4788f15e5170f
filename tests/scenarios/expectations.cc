#include "expectations.h"

#include <cstdlib>

#include "respond/render_incident.h"

namespace tocsin::scenarios {
namespace {

std::string Describe(const World& world) {
  std::string text;
  for (const auto& i : world.incidents) {
    text += "\n      " + i.id.value + " " + i.severity + " " + i.kind + (i.page ? " pages" : " no page") +
            " onset " + FormatTime(i.onset) + ": " + i.title;
  }
  return text.empty() ? "\n      (no incidents)" : text;
}

bool Holds(const Statement::Pair& p, const std::string& actual) {
  if (p.op == '=') return actual == p.value;
  // every part between '|' is an alternative
  size_t from = 0;
  while (true) {
    const size_t bar = p.value.find('|', from);
    const std::string part = p.value.substr(from, bar == std::string::npos ? bar : bar - from);
    if (actual.find(part) != std::string::npos) return true;
    if (bar == std::string::npos) return false;
    from = bar + 1;
  }
}

bool OnsetNear(const signal::Incident& i, const std::string& value, const World& world) {
  const size_t plus = value.find("+-");
  const auto mark = world.marks.find(value.substr(0, plus));
  const auto slack = ParseDuration(plus == std::string::npos ? "1h" : value.substr(plus + 2));
  if (mark == world.marks.end() || !slack) return false;
  const int64_t off = i.onset.ns - mark->second.ns;
  return std::abs(off) <= slack->ns;
}

// "" when the incident fits, else the first thing that does not.
std::string Misfit(const signal::Incident& i, const Statement& expect, const World& world) {
  for (const auto& p : expect.pairs) {
    if (p.key == "count") continue;
    std::string actual;
    if (p.key == "kind")
      actual = i.kind;
    else if (p.key == "title")
      actual = i.title;
    else if (p.key == "severity")
      actual = i.severity;
    else if (p.key == "state")
      actual = i.state;
    else if (p.key == "service")
      actual = i.service;
    else if (p.key == "stream")
      actual = i.stream;
    else if (p.key == "page")
      actual = i.page ? "true" : "false";
    else if (p.key == "evidence")
      actual = i.document_json;
    else if (p.key == "show")
      actual = respond::RenderIncident(i);
    else if (p.key == "onset") {
      if (OnsetNear(i, p.value, world)) continue;
      return "onset is " + FormatTime(i.onset);
    } else {
      return "unknown key " + p.key;
    }
    const bool negated = p.value.starts_with("!");
    Statement::Pair positive = p;
    if (negated) positive.value = p.value.substr(1);
    if (Holds(positive, actual) == negated) return p.key + " is " + actual.substr(0, 3000);
  }
  return {};
}

std::string CheckIncident(const Statement& expect, const World& world) {
  size_t fitting = 0;
  std::string misfit;
  for (const auto& i : world.incidents) {
    const std::string why = Misfit(i, expect, world);
    if (why.empty()) {
      ++fitting;
    } else {
      misfit += "\n      " + i.id.value + ": " + why;
    }
  }
  const auto* count = expect.Find("count");
  if (count != nullptr && fitting != static_cast<size_t>(std::atoi(count->value.c_str()))) {
    return std::to_string(fitting) + " incidents fit, " + count->value + " expected" + Describe(world) +
           misfit;
  }
  if (fitting == 0) return "no incident fits" + Describe(world) + misfit;
  return {};
}

std::string CheckEvent(const Statement& expect, const World& world) {
  size_t fitting = 0;
  for (const auto& e : world.events) {
    bool fits = true;
    for (const auto& p : expect.pairs) {
      if (p.key == "kind") fits = fits && Holds(p, e.kind);
      if (p.key == "body") fits = fits && Holds(p, e.body_json);
      if (p.key == "subject") fits = fits && Holds(p, e.subject);
    }
    fitting += fits ? 1U : 0U;
  }
  const auto* count = expect.Find("count");
  if (count != nullptr && fitting != static_cast<size_t>(std::atoi(count->value.c_str()))) {
    return std::to_string(fitting) + " events fit, " + count->value + " expected";
  }
  return fitting == 0 && count == nullptr ? "no event fits" : "";
}

}  // namespace

std::string Check(const Statement& expect, const World& world) {
  const auto word = [&](size_t i) { return i < expect.words.size() ? expect.words[i] : std::string(); };
  if (word(0) == "no" && word(1) == "incident") {
    size_t fitting = 0;
    for (const auto& i : world.incidents) fitting += Misfit(i, expect, world).empty() ? 1U : 0U;
    return fitting == 0 ? "" : "there is one" + Describe(world);
  }
  if (word(0) == "no" && word(1) == "page") {
    for (const auto& i : world.incidents) {
      if (i.page) return "somebody is paged" + Describe(world);
    }
    return {};
  }
  if (word(0) == "incidents") {
    return word(1) == std::to_string(world.incidents.size()) ? "" : "there are others" + Describe(world);
  }
  if (word(0) == "incident") return CheckIncident(expect, world);
  if (word(0) == "event") return CheckEvent(expect, world);
  return "cannot expect " + word(0);
}

}  // namespace tocsin::scenarios
