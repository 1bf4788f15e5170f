// ScenarioFile: the lines of a .scenario file, split into a verb, bare words and key=value pairs.
// Errors name the file and the line.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "kernel/status.h"

namespace tocsin::scenarios {

struct Statement {
  std::string file;
  int line = 0;
  std::string verb;
  std::vector<std::string> words;
  // Operators are "=" and "~"; values are not yet expanded.
  struct Pair {
    std::string key, value;
    char op = '=';
  };
  std::vector<Pair> pairs;
  const Pair* Find(const std::string& key) const;
  std::string Where() const { return file + ":" + std::to_string(line); }
};

// Reads a file and what it includes.
Result<std::vector<Statement>> ReadScenario(const std::filesystem::path& path, int depth = 0);

}  // namespace tocsin::scenarios
