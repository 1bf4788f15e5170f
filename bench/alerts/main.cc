// Alerts taken in, shown and held, side by side with Debian's Alertmanager, from 1,000 to 100,000 alerts.
//
// 1. Rate: POST /api/v2/alerts in batches of 100 over keep-alive connections, each alert new. Ours answers
//    when the alerts are on the disk; Alertmanager keeps them in memory. Rounds alternate which goes first;
//    the ratio is that of the best round, all rounds are in the JSON.
// 2. Memory: resident after the alerts came in, before anything is asked.
// 3. GET /api/v2/alerts, whole, with one inhibit rule that suppresses nearly half of them. Alertmanager's
//    time grows with the square: at the largest size it is given kPatience seconds.
// Each run is a new process in a new folder; sender and server share the machine. What is shown is counted:
// a lost alert or one that is wrongly suppressed fails the benchmark.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <vector>

#include "bench/alerts/alert_bodies.h"
#include "bench/alerts/sides.h"
#include "bench/wire/keep_alive.h"
#include "tests/e2e/peer_process.h"

namespace tocsin::bench {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::ordered_json;

constexpr size_t kBatch = 100;
constexpr int kPatience = 20;  // seconds for Alertmanager's answer
constexpr std::array<size_t, 3> kSizes = {1'000, 10'000, 100'000};

struct Options {
  size_t connections = 4;
  size_t rounds = 3;
  size_t largest = kSizes.back();
  bool json = false;
};

Options Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto number = [&](size_t& out) {
      if (i + 1 < argc) out = std::max<size_t>(1, std::strtoull(argv[++i], nullptr, 10));
    };
    if (argument == "--json") options.json = true;
    if (argument == "--connections") number(options.connections);
    if (argument == "--rounds") number(options.rounds);
    if (argument == "--largest") number(options.largest);
  }
  return options;
}

double Since(Clock::time_point began) { return std::chrono::duration<double>(Clock::now() - began).count(); }

// Alerts a second; nothing when any request was not answered with 200.
std::optional<double> Send(uint16_t port, const std::vector<std::string>& bodies, size_t count,
                           size_t connections) {
  std::atomic<size_t> next{0}, failed{0};
  const auto began = Clock::now();
  std::vector<std::thread> threads;
  for (size_t c = 0; c < connections; ++c) {
    threads.emplace_back([&] {
      try {
        KeepAlive connection(port, 60);
        for (size_t i = next++; i < bodies.size(); i = next++) {
          if (connection.Post("/api/v2/alerts", "application/json", bodies[i]).status != 200) ++failed;
        }
      } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        ++failed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (failed > 0) return std::nullopt;
  return static_cast<double>(count) / Since(began);
}

size_t Count(const std::string& text, std::string_view piece) {
  size_t count = 0;
  for (size_t at = text.find(piece); at != std::string::npos; at = text.find(piece, at + piece.size()))
    ++count;
  return count;
}

struct Shown {
  double seconds = 0;
  bool whole = false;  // false: no answer in time
  size_t alerts = 0, suppressed = 0, bytes = 0;
};

Shown Show(uint16_t port, int patience) {
  KeepAlive connection(port, patience);
  Shown shown;
  const auto began = Clock::now();
  const Answer answer = connection.Get("/api/v2/alerts");
  shown.seconds = Since(began);
  shown.whole = answer.status == 200;
  shown.bytes = answer.body.size();
  shown.alerts = Count(answer.body, R"("fingerprint":")");
  shown.suppressed = Count(answer.body, R"("state":"suppressed")");
  return shown;
}

struct Taken {
  std::optional<double> rate;
  double resident_mb = 0, peak_mb = 0;
  std::vector<Shown> shown;
};

// One process from start to end.
Taken RunOnce(bool ours, const std::vector<std::string>& bodies, size_t n, size_t connections, int looks) {
  const auto side = ours ? StartTocsin() : StartAlertmanager();
  Taken taken;
  taken.rate = Send(side->port(), bodies, n, connections);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  taken.resident_mb = side->ResidentMb();
  for (int i = 0; i < looks; ++i) taken.shown.push_back(Show(side->port(), ours ? 60 : kPatience));
  taken.peak_mb = side->PeakMb();
  return taken;
}

struct Size {
  size_t n = 0;
  std::vector<Taken> ours, theirs;  // by round
};

Size Measure(size_t n, const Options& options) {
  const std::vector<std::string> bodies = AlertBodies(n, kBatch);
  Size size{n, {}, {}};
  for (size_t round = 0; round < options.rounds; ++round) {
    for (const bool ours : {round % 2 == 0, round % 2 != 0}) {
      // Alertmanager is asked once: its time is known well enough, and long.
      const int looks = ours ? 1 : round == 0 ? 1 : 0;
      Taken taken = RunOnce(ours, bodies, n, options.connections, looks);
      std::cerr << fmt::format("{:>7} alerts, {:<12} {:>8.0f}/s  {:>4.0f} MiB", n,
                               ours ? "Tocsin" : "Alertmanager", taken.rate.value_or(-1), taken.resident_mb);
      for (const Shown& shown : taken.shown)
        std::cerr << fmt::format("  shown {} {:.3f} s", shown.whole ? "in" : "not within", shown.seconds);
      std::cerr << '\n';
      (ours ? size.ours : size.theirs).push_back(std::move(taken));
    }
  }
  return size;
}

// What was lost or is shown wrongly; "" when nothing is.
std::string Wrong(const Size& size) {
  for (const auto* side : {&size.ours, &size.theirs}) {
    const bool ours = side == &size.ours;
    for (const Taken& taken : *side) {
      if (!taken.rate)
        return fmt::format("{} of {} alerts: a request failed", ours ? "Tocsin" : "Alertmanager", size.n);
      for (const Shown& shown : taken.shown) {
        if (!shown.whole && !ours) continue;
        if (shown.alerts != size.n || shown.suppressed != Suppressed(size.n))
          return fmt::format("{} shows {} of {} alerts, {} of {} suppressed",
                             ours ? "Tocsin" : "Alertmanager", shown.alerts, size.n, shown.suppressed,
                             Suppressed(size.n));
      }
    }
  }
  return {};
}

std::vector<double> Rates(const std::vector<Taken>& side) {
  std::vector<double> out;
  for (const Taken& taken : side) out.push_back(taken.rate.value_or(0));
  return out;
}

std::vector<double> Ratios(const Size& size) {
  std::vector<double> out;
  for (size_t i = 0; i < size.ours.size(); ++i)
    out.push_back(size.ours[i].rate.value_or(0) / size.theirs[i].rate.value_or(1));
  return out;
}

// The slowest of ours.
double OurGet(const Size& size) {
  double out = 0;
  for (const Taken& taken : size.ours) out = std::max(out, taken.shown.at(0).seconds);
  return out;
}

double MostResident(const std::vector<Taken>& side) {
  double out = 0;
  for (const Taken& taken : side) out = std::max(out, taken.resident_mb);
  return out;
}

double LeastResident(const std::vector<Taken>& side) {
  double out = side.at(0).resident_mb;
  for (const Taken& taken : side) out = std::min(out, taken.resident_mb);
  return out;
}

ordered_json Growth(const Size& size) {
  const Shown& peer = size.theirs.at(0).shown.at(0);
  const auto ratios = Ratios(size);
  ordered_json out;
  out["n"] = size.n;
  out["ours_alerts_per_s"] = std::ranges::max(Rates(size.ours));
  out["theirs_alerts_per_s"] = std::ranges::max(Rates(size.theirs));
  out["ingest_ratio"] = std::ranges::max(ratios);
  out["ours_get_s"] = OurGet(size);
  out["theirs_get_s"] = peer.whole ? ordered_json(peer.seconds) : ordered_json(nullptr);
  if (!peer.whole) out["theirs_get_more_than_s"] = kPatience;
  out["ours_rss_mb"] = MostResident(size.ours);
  out["theirs_rss_mb"] = LeastResident(size.theirs);
  out["ours_peak_mb"] = size.ours.at(0).peak_mb;
  out["theirs_peak_mb"] = size.theirs.at(0).peak_mb;
  out["suppressed"] = Suppressed(size.n);
  out["ours_rounds"] = Rates(size.ours);
  out["theirs_rounds"] = Rates(size.theirs);
  out["ratio_rounds"] = ratios;
  return out;
}

void Print(const ordered_json& out) {
  for (const char* key : {"ingest_ratio", "inhibited_get_s", "memory_ratio"})
    std::cout << fmt::format("{:<18} {:.3f}\n", key, out[key].get<double>());
  std::cout << fmt::format("{:>8} {:>11} {:>11} {:>9} {:>9} {:>8} {:>8}\n", "alerts", "ours/s", "theirs/s",
                           "our GET", "theirs", "our MiB", "theirs");
  for (const auto& row : out["growth"]) {
    const auto get = row["theirs_get_s"].is_null()
                         ? fmt::format(">{} s", kPatience)
                         : fmt::format("{:.3f} s", row["theirs_get_s"].get<double>());
    std::cout << fmt::format("{:>8} {:>11.0f} {:>11.0f} {:>7.3f} s {:>9} {:>8.0f} {:>8.0f}\n",
                             row["n"].get<size_t>(), row["ours_alerts_per_s"].get<double>(),
                             row["theirs_alerts_per_s"].get<double>(), row["ours_get_s"].get<double>(), get,
                             row["ours_rss_mb"].get<double>(), row["theirs_rss_mb"].get<double>());
  }
}

int Main(int argc, char** argv) {
  const Options options = Parse(argc, argv);
  if (!e2e::HaveProgram(kAlertmanager)) {
    std::cerr << kAlertmanager << " is not installed: apt-get install prometheus-alertmanager\n";
    return 1;
  }
  ordered_json out{{"ingest_ratio", 0.0}, {"inhibited_get_s", 0.0}, {"memory_ratio", 0.0}};
  for (const size_t n : kSizes) {
    if (n > options.largest) continue;
    const Size size = Measure(n, options);
    if (const std::string wrong = Wrong(size); !wrong.empty()) {
      std::cerr << wrong << '\n';
      return 1;
    }
    out["growth"].push_back(Growth(size));
    out["ingest_ratio"] = std::ranges::max(Ratios(size));
    out["inhibited_get_s"] = OurGet(size);
    out["memory_ratio"] = MostResident(size.ours) / LeastResident(size.theirs);
  }
  out["batch"] = kBatch;
  out["connections"] = options.connections;
  out["rounds"] = options.rounds;
  if (options.json) {
    std::cout << out.dump() << '\n';
  } else {
    Print(out);
  }
  return 0;
}

}  // namespace
}  // namespace tocsin::bench

int main(int argc, char** argv) {
  try {
    return tocsin::bench::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
