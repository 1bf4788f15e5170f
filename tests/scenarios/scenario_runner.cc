#include "scenario_runner.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "recorded_answers.h"
#include "respond/lifecycle/incident_action.h"
#include "respond/render_incident.h"
#include "signal/fields.h"

namespace tocsin::scenarios {
namespace {

constexpr size_t kBatch = 10;

void Assign(std::string& field, const std::string& text) { field = text; }
void Assign(std::optional<int64_t>& field, const std::string& text) {
  if (!text.empty()) field = std::atoll(text.c_str());
}
void Assign(std::optional<double>& field, const std::string& text) {
  if (!text.empty()) field = std::atof(text.c_str());
}
template <class T>
void Assign(T&, const std::string&) {}

// Sets the member stored under this column name.
template <class Record>
bool SetField(Record& record, const std::string& name, const std::string& text) {
  bool found = false;
  signal::VisitFields(record, [&](const char* column, auto& value) {
    if (name != column) return;
    Assign(value, text);
    found = true;
  });
  return found;
}

}  // namespace

std::string ScenarioRunner::Id(const char* prefix, int digits) {
  return fmt::format("{}{:0{}x}", prefix, ++serial_, digits);
}

Status ScenarioRunner::Configure(const Statement& s) {
  for (const auto& p : s.pairs) {
    if (p.key == "alpha")
      options_.alpha = std::atof(p.value.c_str());
    else if (p.key == "reference")
      options_.reference_size = static_cast<size_t>(std::atoll(p.value.c_str()));
    else if (p.key == "seed")
      text_.Reseed(static_cast<uint64_t>(std::atoll(p.value.c_str())));
    else if (p.key == "segment")
      options_.segment_attributes.push_back(p.value);
    else if (p.key == "entity_prefix")
      options_.entity_prefixes.push_back(p.value);
    else if (p.key == "index_model")
      options_.index_embedding_models[""] = p.value;
    else if (p.key == "rebaseline_after")
      options_.rebaseline_after = static_cast<size_t>(std::atoll(p.value.c_str()));
    else
      return {Code::kInvalidArgument, "no option " + p.key};
  }
  watcher_ = std::make_unique<detect::Watcher>(options_);
  return {};
}

Status ScenarioRunner::Fill(const Statement&, const Statement::Pair& pair, signal::Generation& g,
                            signal::Batch& batch, signal::Retrieval& retrieval) {
  const std::string& key = pair.key;
  if (key == "n" || key == "every") return {};
  const std::string text = text_.Expand(pair.value);
  if (key == "duration") {
    TOCSIN_ASSIGN_OR_RETURN(g.duration, ParseDuration(text));
  } else if (key.starts_with("attr.")) {
    g.attributes[key.substr(5)] = text;
  } else if (key == "doc") {  // "id|text|score"
    if (text.empty()) return {};
    const size_t a = text.find('|');
    const size_t b = text.rfind('|');
    signal::Document d{text.substr(0, a), a == b ? text.substr(a + 1) : text.substr(a + 1, b - a - 1), {}};
    if (a != b) d.score = std::atof(text.substr(b + 1).c_str());
    retrieval.documents.push_back(std::move(d));
  } else if (key == "query_model" || key == "index_model") {
    (key[0] == 'q' ? retrieval.query_embedding_model : retrieval.index_embedding_model) = text;
  } else if (key == "tool") {  // "name|arguments|result"
    if (text.empty()) return {};
    const size_t a = text.find('|');
    const size_t b = text.find('|', a + 1);
    signal::ToolExecution t;
    t.trace_id = g.trace_id;
    t.time = g.time;
    t.service = g.service;
    t.name = text.substr(0, a);
    if (a != std::string::npos) t.arguments = text.substr(a + 1, b == std::string::npos ? b : b - a - 1);
    if (b != std::string::npos) t.result = text.substr(b + 1);
    batch.tool_executions.push_back(std::move(t));
  } else if (key == "feedback") {
    if (text.empty()) return {};
    signal::Feedback f;
    f.id = Id("f", 8);
    f.time = g.time + Duration::Seconds(20);
    f.trace_id = g.trace_id;
    f.service = g.service;
    f.score = std::atof(text.c_str());
    batch.feedbacks.push_back(std::move(f));
  } else if (key.starts_with("score.")) {  // "value|evaluator"
    signal::Evaluation e;
    const size_t bar = text.find('|');
    e.time = g.time + Duration::Seconds(3);
    e.trace_id = g.trace_id;
    e.span_id = g.span_id;
    e.service = g.service;
    e.name = key.substr(6);
    e.score = std::atof(text.substr(0, bar).c_str());
    if (bar != std::string::npos) e.evaluator = text.substr(bar + 1);
    batch.evaluations.push_back(std::move(e));
  } else if (!SetField(g, key, text)) {
    return {Code::kInvalidArgument, "a generation has no field " + key};
  }
  return {};
}

Status ScenarioRunner::Generation(const Statement& s, signal::Batch& batch) {
  text_.NewGeneration();
  signal::Generation g;
  g.time = now_;
  g.trace_id = Id("", 32);
  g.span_id = Id("", 16);
  g.operation = "chat";
  g.finish_reason = "stop";
  signal::Retrieval retrieval;
  for (const auto& p : defaults_.pairs) {
    if (s.Find(p.key) == nullptr) TOCSIN_RETURN_IF_ERROR(Fill(s, p, g, batch, retrieval));
  }
  for (const auto& p : s.pairs) TOCSIN_RETURN_IF_ERROR(Fill(s, p, g, batch, retrieval));
  const bool retrieved = !retrieval.documents.empty() || !retrieval.query_embedding_model.empty();
  if (retrieved) {
    retrieval.trace_id = g.trace_id;
    retrieval.time = g.time;
    retrieval.service = g.service;
    batch.retrievals.push_back(std::move(retrieval));
  }
  batch.generations.push_back(std::move(g));
  return {};
}

Status ScenarioRunner::Generations(const Statement& s) {
  const auto* n = s.Find("n");
  const auto* every = s.Find("every");
  Duration step = step_;
  if (every != nullptr) {
    TOCSIN_ASSIGN_OR_RETURN(step, ParseDuration(every->value));
  }
  const int count = n == nullptr ? 1 : std::atoi(n->value.c_str());
  signal::Batch batch;
  for (int i = 0; i < count; ++i) {
    TOCSIN_RETURN_IF_ERROR(Generation(s, batch));
    now_ = now_ + step;
    if (batch.generations.size() == kBatch || i + 1 == count) {
      TOCSIN_RETURN_IF_ERROR(Send(std::exchange(batch, {})));
    }
  }
  return Record(true);
}

Status ScenarioRunner::Recorded(const Statement& s) {
  const auto value = [&](const char* key, const char* otherwise) {
    const auto* p = s.Find(key);
    return p == nullptr ? std::string(otherwise) : p->value;
  };
  auto answers = ReadRecorded(value("file", ""), value("where", ""));
  if (!answers) {
    if (answers.error().code() == Code::kNotFound) outcome_.skipped = answers.error().message();
    return answers.error();
  }
  Rng rng(static_cast<uint64_t>(std::atoll(value("seed", "1").c_str())));
  rng.Shuffle(*answers);
  const size_t from = static_cast<size_t>(std::atoll(value("from", "0").c_str()));
  const size_t to =
      std::min(answers->size(), static_cast<size_t>(std::atoll(value("to", "1000000").c_str())));
  signal::Batch batch;
  Statement rest = s;
  std::erase_if(rest.pairs, [](const Statement::Pair& p) {
    return p.key == "file" || p.key == "where" || p.key == "seed" || p.key == "from" || p.key == "to";
  });
  for (size_t i = from; i < to; ++i) {
    TOCSIN_RETURN_IF_ERROR(Generation(rest, batch));
    batch.generations.back().input = (*answers)[i].prompt;
    batch.generations.back().output = (*answers)[i].output;
    now_ = now_ + step_;
    if (batch.generations.size() == kBatch || i + 1 == to)
      TOCSIN_RETURN_IF_ERROR(Send(std::exchange(batch, {})));
  }
  return Record(true);
}

Status ScenarioRunner::Change(const Statement& s) {
  signal::Change c;
  c.id = Id("c", 8);
  c.time = now_;
  c.kind = "other";
  for (const auto& p : s.pairs) {
    if (p.key == "ago") {
      TOCSIN_ASSIGN_OR_RETURN(const Duration ago, ParseDuration(p.value));
      c.time = now_ - ago;
    } else if (!SetField(c, p.key == "before" || p.key == "after" ? p.key + "_text" : p.key, p.value)) {
      return {Code::kInvalidArgument, "a change has no field " + p.key};
    }
  }
  signal::Batch batch;
  batch.changes.push_back(std::move(c));
  return Send(std::move(batch));
}

Status ScenarioRunner::Send(signal::Batch batch) {
  outcome_.generations += batch.generations.size();
  journal_.push_back({++position_, std::make_shared<const signal::Batch>(std::move(batch))});
  const auto begin = std::chrono::steady_clock::now();
  watcher_->Consume(journal_.back());
  outcome_.watch_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return Record(false);
}

// Alarms are written at once, as the service does; other states when `save`.
Status ScenarioRunner::Record(bool save) {
  const auto findings = watcher_->TakeFindings();
  if (findings.empty() && !save) return {};
  const auto states = watcher_->Save();
  return ledger_->Transact([&](store::LedgerTransaction& transaction) -> Status {
    for (const auto& state : states) TOCSIN_RETURN_IF_ERROR(transaction.PutMonitorState(state));
    const auto done = respond::IncidentDesk().Record(transaction, findings, now_);
    return done ? Status() : done.error();
  });
}

Status ScenarioRunner::Restart(bool crash) {
  if (!crash) TOCSIN_RETURN_IF_ERROR(Record(true));
  const auto before = watcher_->Status();
  watcher_ = std::make_unique<detect::Watcher>(options_);
  TOCSIN_RETURN_IF_ERROR(Open());
  TOCSIN_ASSIGN_OR_RETURN(const auto states, ledger_->MonitorStates());
  TOCSIN_RETURN_IF_ERROR(watcher_->Restore(states));
  for (const auto& entry : journal_) watcher_->Consume(entry);
  TOCSIN_RETURN_IF_ERROR(Record(true));
  const auto after = watcher_->Status();
  if (after.position != before.position || after.streams.size() != before.streams.size()) {
    return {Code::kInternal, "the restored watcher stands elsewhere"};
  }
  for (size_t i = 0; i < before.streams.size(); ++i) {
    const auto& a = before.streams[i];
    const auto& b = after.streams[i];
    if (a.state != b.state || a.generations != b.generations || a.paired != b.paired ||
        a.log_e_value != b.log_e_value) {
      return {Code::kInternal,
              fmt::format("stream {} is not what it was: {} {} {} and {} {} {}", a.stream, a.state, a.paired,
                          a.log_e_value, b.state, b.paired, b.log_e_value)};
    }
  }
  return {};
}

Status ScenarioRunner::Close(const Statement& s) {
  TOCSIN_ASSIGN_OR_RETURN(const auto found, ledger_->FindIncidents({}));
  for (const auto& i : found) {
    const auto closed =
        respond::ApplyAction(*ledger_, i.id, {"close", {{"reason", "scenario"}}, {}}, {"tester"}, now_);
    if (!closed) return closed.error();
    watcher_->Rebaseline(i.stream);
  }
  (void)s;
  return {};
}

Status ScenarioRunner::Expect(const Statement& s) {
  watcher_->Flush();
  TOCSIN_RETURN_IF_ERROR(Record(true));
  World world;
  TOCSIN_ASSIGN_OR_RETURN(world.incidents, ledger_->FindIncidents({}));
  TOCSIN_ASSIGN_OR_RETURN(world.events, ledger_->Events("", 0, 10'000));
  world.marks = marks_;
  if (const std::string why = Check(s, world); !why.empty())
    outcome_.failures.push_back(s.Where() + ": " + why);
  return {};
}

Status ScenarioRunner::Open() {
  ledger_.reset();
  TOCSIN_ASSIGN_OR_RETURN(ledger_, store::OpenSqlite({(scratch_ / "ledger.db").string(), false}));
  return {};
}

Status ScenarioRunner::Execute(const Statement& s) {
  if (s.verb == "options") return Configure(s);
  if (s.verb == "set") {
    for (const auto& p : s.pairs) {
      std::erase_if(defaults_.pairs, [&](const auto& old) { return old.key == p.key; });
    }
    defaults_.pairs.insert(defaults_.pairs.end(), s.pairs.begin(), s.pairs.end());
    return {};
  }
  if (s.verb == "list") {
    for (const auto& p : s.pairs) text_.Define(p.key, p.value);
    return {};
  }
  if (s.verb == "every" && s.words.size() == 1) {
    TOCSIN_ASSIGN_OR_RETURN(step_, ParseDuration(s.words[0]));
    return {};
  }
  if (s.verb == "mark" && s.words.size() == 1) {
    marks_[s.words[0]] = now_;
    return {};
  }
  if (s.verb == "wait" && s.words.size() == 1) {
    TOCSIN_ASSIGN_OR_RETURN(const Duration d, ParseDuration(s.words[0]));
    now_ = now_ + d;
    return {};
  }
  if (s.verb == "generations") return Generations(s);
  if (s.verb == "recorded") return Recorded(s);
  if (s.verb == "change") return Change(s);
  if (s.verb == "restart" || s.verb == "crash") return Restart(s.verb == "crash");
  if (s.verb == "close") return Close(s);
  if (s.verb == "expect") return Expect(s);
  return {Code::kInvalidArgument, "no statement is called " + s.verb};
}

Outcome ScenarioRunner::Run(const std::vector<Statement>& statements) {
  now_ = *ParseTime("2026-03-02T00:00:00Z");
  watcher_ = std::make_unique<detect::Watcher>(options_);
  Status status = Open();
  for (const auto& s : statements) {
    if (status.ok()) status = Execute(s).WithContext(s.Where());
    if (!status.ok()) break;
  }
  if (!status.ok() && outcome_.skipped.empty()) outcome_.failures.push_back(status.ToString());
  if (verbose_ && ledger_ != nullptr) {
    if (const auto found = ledger_->FindIncidents({})) {
      for (const auto& i : *found) std::cout << respond::RenderIncident(i) << "\n";
    }
  }
  return outcome_;
}

}  // namespace tocsin::scenarios
