// scenarios PATH... [--verbose]: runs every .scenario file of a folder, or the files named. Exit code 1 when
// one fails.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "scenario_runner.h"

namespace {

using tocsin::scenarios::Outcome;
using tocsin::scenarios::ReadScenario;
using tocsin::scenarios::ScenarioRunner;

Outcome RunFile(const std::filesystem::path& path, bool verbose) {
  Outcome outcome;
  const auto statements = ReadScenario(path);
  if (!statements) {
    outcome.failures.push_back(statements.error().ToString());
    return outcome;
  }
  std::string pattern = (std::filesystem::temp_directory_path() / "tocsin-scenario-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) {
    outcome.failures.emplace_back("no scratch folder");
    return outcome;
  }
  outcome = ScenarioRunner(pattern, verbose).Run(*statements);
  std::error_code ignored;
  std::filesystem::remove_all(pattern, ignored);
  return outcome;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  bool verbose = false;
  for (int i = 1; i < argc; ++i) {
    const std::filesystem::path path = argv[i];
    if (path == "--verbose") {
      verbose = true;
    } else if (std::filesystem::is_directory(path)) {
      for (const auto& entry : std::filesystem::directory_iterator(path)) {
        if (entry.path().extension() == ".scenario") files.push_back(entry.path());
      }
    } else {
      files.push_back(path);
    }
  }
  std::ranges::sort(files);
  int failed = 0;
  for (const auto& file : files) {
    const Outcome o = RunFile(file, verbose);
    const double us = o.generations > 0 ? o.watch_seconds * 1e6 / static_cast<double>(o.generations) : 0;
    const char* verdict = !o.failures.empty() ? "FAIL" : !o.skipped.empty() ? "skip" : "ok  ";
    std::cout << fmt::format("{} {} ({} generations, {:.0f} us each){}\n", verdict, file.stem().string(),
                             o.generations, us, o.skipped.empty() ? "" : ": " + o.skipped);
    for (const auto& failure : o.failures) std::cout << "    " << failure << "\n";
    failed += o.failures.empty() ? 0 : 1;
  }
  std::cout << fmt::format("{} scenarios, {} failed\n", files.size(), failed);
  return failed == 0 && !files.empty() ? 0 : 1;
}
