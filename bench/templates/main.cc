// Log templates: lines a second and grouping accuracy, against Drain in Python (bench/templates/drain.py, or
// the package drain3 when Python has it) on the same lines in the same run.
//
// Data: $TOCSIN_DATA/loghub (default ../shared/data/loghub): the unpacked collection, or a .tar.zst to
// unpack.
//   bench_templates [--json] [--data DIR]
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "detect/template_evaluation.h"

namespace tocsin::bench {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

// What a shell command prints. Arguments are put between quotes by the caller.
std::string Output(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  std::string text;
  std::array<char, 4096> buffer{};
  for (size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) text.append(buffer.data(), n);
  if (pclose(pipe) != 0) throw std::runtime_error("failed: " + command);
  return text;
}

// A folder that is deleted at the end.
struct Scratch {
  fs::path path;
  Scratch() {
    std::string name = (fs::temp_directory_path() / "tocsin-bench-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
    path = name;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
};

// The labelled files: in the folder itself, or in all the archives in it.
std::string Unpacked(const std::string& folder, const Scratch& scratch) {
  bool packed = false;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.path().string().ends_with(".tar.zst")) continue;
    Output(fmt::format("tar --zstd -xf '{}' -C '{}'", entry.path().string(), scratch.path.string()));
    packed = true;
  }
  return packed ? scratch.path.string() : folder;
}

ordered_json Measure(const std::string& folder) {
  const auto logs = detect::ReadLoghub(folder);
  if (!logs) throw std::runtime_error(logs.error().ToString());
  const detect::TemplateResult ours = detect::EvaluateTemplates(*logs);
  ordered_json peer = ordered_json::parse(Output(fmt::format("python3 '{}' '{}'", TOCSIN_PEER, folder)));
  ordered_json systems = ordered_json::object();
  for (const detect::TemplateScore& s : ours.systems) systems[s.name] = s.grouping_accuracy;
  const double theirs = peer.at("lines_per_s").get<double>();
  return {
      {"benchmark", "templates"},
      {"lines_per_s", ours.lines_per_s},
      {"grouping_accuracy", ours.grouping_accuracy},
      {"grouping_accuracy_original", ours.grouping_accuracy_original},
      {"systems", std::move(systems)},
      {"lines_per_s_ratio", ours.lines_per_s / theirs},
      {"grouping_accuracy_difference", ours.grouping_accuracy - peer.at("grouping_accuracy").get<double>()},
      {"peer", std::move(peer)}};
}

int Main(int argc, char** argv) {
  bool json = false;
  const char* root = std::getenv("TOCSIN_DATA");
  std::string folder = std::string(root == nullptr ? "../shared/data" : root) + "/loghub";
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--json") json = true;
    if (argument == "--data" && i + 1 < argc) folder = argv[++i];
  }
  if (!fs::is_directory(folder)) {
    std::cerr << folder << " is not there: TOCSIN_DATA names the folder of the data sets\n";
    return 2;
  }
  const Scratch scratch;
  const ordered_json result = Measure(Unpacked(folder, scratch));
  if (json) {
    std::cout << result.dump() << "\n";
    return 0;
  }
  std::cout << fmt::format("Tocsin                     {:>10.0f} lines/s   grouping accuracy {:.4f}\n",
                           result["lines_per_s"].get<double>(), result["grouping_accuracy"].get<double>());
  std::cout << fmt::format(
      "{:<26} {:>10.0f} lines/s   grouping accuracy {:.4f}\n", result["peer"]["peer"].get<std::string>(),
      result["peer"]["lines_per_s"].get<double>(), result["peer"]["grouping_accuracy"].get<double>());
  return 0;
}

}  // namespace
}  // namespace tocsin::bench

int main(int argc, char** argv) {
  try {
    return tocsin::bench::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "bench templates: " << error.what() << "\n";
    return 1;
  }
}
