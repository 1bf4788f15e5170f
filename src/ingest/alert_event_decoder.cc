#include "ingest/alert_event_decoder.h"

#include <algorithm>
#include <array>

#include "ingest/internal/alert_builder.h"
#include "ingest/internal/alert_words.h"
#include "ingest/internal/cloud_event.h"
#include "ingest/internal/json_document.h"
#include "kernel/ascii.h"

namespace tocsin::ingest {
namespace {

using internal::AlertBuilder;
using internal::Json;
using internal::ObjectReader;

// The words of a type between dots and hyphens, in lower case.
std::vector<std::string> WordsOf(std::string_view type) {
  std::vector<std::string> out(1);
  for (const char c : LowerAscii(type)) {
    if (c == '.' || c == '-' || c == '_' || c == '/') {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

bool IsStateWord(std::string_view word) {
  static constexpr std::array<std::string_view, 6> kWords = {"firing", "fired", "triggered",
                                                             "opened", "open",  "created"};
  return internal::IsResolvedWord(word) || std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

// The type without its last word when that is a state: both ends of an alert have one name.
std::string_view NameOfType(std::string_view type) {
  const size_t last = type.find_last_of(".-_/");
  if (last == std::string_view::npos || !IsStateWord(LowerAscii(type.substr(last + 1)))) return type;
  return type.substr(0, last);
}

// Calls add(name, text) for the members of an object, until one is wrong.
template <class Add>
std::string AddMembers(const Json& object, std::string_view field, Add add) {
  if (!object.is_object()) return std::string(field) + ": must be an object";
  for (const auto& [name, value] : object.items()) {
    if (value.is_null()) continue;
    if (std::string wrong = add(name, internal::LabelText(value)); !wrong.empty()) return wrong;
  }
  return {};
}

class EventReader {
 public:
  EventReader(const Json& event, std::string path, const AlertOptions& options)
      : top_(event, std::move(path), options.decode), options_(options), builder_(options) {}

  // "" or what is wrong, with its place.
  std::string Read(signal::Alert& alert) {
    if (const std::string version = top_.Required("specversion"); !version.empty() && version != "1.0") {
      top_.Fail("specversion", "must be \"1.0\"");
    }
    const std::string type = top_.Required("type");
    top_.Required("id");
    const std::string source = top_.Required("source");
    if (top_.status().ok() && !IsAlertEventType(type)) top_.Fail("type", "is not of an alert");
    alert.starts_at = top_.When("time");
    if (!top_.status().ok()) return top_.status().message();
    static const Json kEmpty = Json::object();
    const Json* data = top_.Find("data");
    const bool structured = data != nullptr && data->is_object();
    std::string wrong = ReadData(structured ? *data : kEmpty, type, source, alert);
    if (wrong.empty() && data != nullptr && !structured) {
      wrong = builder_.AddAnnotation(alert, "summary", top_.AsText(*data, options_.max_annotation_bytes));
    }
    if (wrong.empty()) wrong = builder_.Finish(alert, Duration{});
    alert.source = "cloudevents";
    return wrong;
  }

 private:
  std::string ReadData(const Json& data, const std::string& type, const std::string& source,
                       signal::Alert& alert) {
    ObjectReader reader(data, "data", options_.decode);
    const auto label = [&](std::string_view name, const std::string& value) {
      return value.empty() ? std::string() : builder_.AddLabel(alert, name, value);
    };
    const auto annotation = [&](std::string_view name, const std::string& value) {
      return builder_.AddAnnotation(alert, name, value);
    };
    std::string wrong;
    if (const Json* labels = reader.Find("labels")) {
      wrong = AddMembers(*labels, "data.labels", label);
    } else {
      const std::string name = reader.Text("alertname");
      wrong = label("alertname", name.empty() ? std::string(NameOfType(type)) : name);
      if (wrong.empty()) wrong = label("source", source);
      if (wrong.empty()) wrong = label("subject", top_.Text("subject"));
      for (const char* member : {"service", "severity", "component", "environment"}) {
        if (wrong.empty()) wrong = label(member, reader.Text(member));
      }
    }
    if (const Json* annotations = reader.Find("annotations"); annotations != nullptr && wrong.empty()) {
      wrong = AddMembers(*annotations, "data.annotations", annotation);
    }
    for (const char* member : {"summary", "description"}) {
      if (const std::string text = reader.Text(member); wrong.empty()) wrong = annotation(member, text);
    }
    alert.generator_url = reader.Text("link");
    if (const Time start = reader.When("startsAt"); start.known()) alert.starts_at = start;
    alert.ends_at = std::min(reader.When("endsAt"), signal::kOpenEnded);
    const std::vector<std::string> words = WordsOf(type);
    const std::string status = LowerAscii(reader.Text("status"));
    if (status.empty() ? internal::IsResolvedWord(words.back()) : internal::IsResolvedWord(status))
      End(alert);
    return !wrong.empty() || reader.status().ok() ? wrong : reader.status().message();
  }

  // The event's own time is when it ended; the start is not told.
  void End(signal::Alert& alert) const {
    const Time now = options_.decode.received;
    if (!alert.ends_at.known())
      alert.ends_at = alert.starts_at.known() ? std::min(alert.starts_at, now) : now;
    alert.starts_at = std::min(alert.starts_at, alert.ends_at);
  }

  ObjectReader top_;
  const AlertOptions& options_;
  AlertBuilder builder_;
};

}  // namespace

bool IsAlertEventType(std::string_view type) {
  const std::vector<std::string> words = WordsOf(type);
  return std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return word == "alert" || word == "alerts" || word == "alarm" || word == "alarms" || word == "incident";
  });
}

Result<AlertOutcome> DecodeAlertEvents(std::string_view body, const HeaderList& headers,
                                       const AlertOptions& options) {
  TOCSIN_ASSIGN_OR_RETURN(const internal::CloudEvents read,
                          internal::ReadCloudEvents(body, headers, options.decode));
  if (read.events.size() > options.max_alerts) return Error(Code::kOutOfRange, "body: too many events");
  AlertOutcome outcome;
  for (size_t i = 0; i < read.events.size(); ++i) {
    signal::Alert alert;
    std::string wrong = EventReader(read.events[i], read.PathOf(i), options).Read(alert);
    if (wrong.empty()) {
      outcome.alerts.push_back(std::move(alert));
    } else {
      internal::Reject(outcome, options, i, std::move(wrong));
    }
  }
  return outcome;
}

}  // namespace tocsin::ingest
