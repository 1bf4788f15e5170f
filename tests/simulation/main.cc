// sim: simulated nights, one a seed. Exit code 1 and the seed on the last line when something did not hold;
// the same seed replays the same night.
//
//   sim [--seed N] [--count M] [--verbose]
#include <charconv>
#include <cstdint>
#include <cstring>
#include <iostream>

#include <spdlog/spdlog.h>

#include "tests/simulation/world.h"

namespace {

using tocsin::simulation::World;
using tocsin::simulation::WorldCounts;

bool ReadNumber(const char* text, uint64_t& out) {
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), out);
  return error == std::errc() && *end == '\0';
}

int Usage() {
  std::cerr << "usage: sim [--seed N] [--count M] [--verbose]\n";
  return 2;
}

void Add(WorldCounts& sum, const WorldCounts& one) {
  sum.pages += one.pages;
  sum.deliveries += one.deliveries;
  sum.crashes += one.crashes;
  sum.errors += one.errors;
  sum.jumps += one.jumps;
  sum.acknowledged += one.acknowledged;
  sum.ended += one.ended;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t seed = 1, count = 0;
  bool verbose = false, one = false;
  for (int i = 1; i < argc; ++i) {
    const bool value = i + 1 < argc;
    if (std::strcmp(argv[i], "--verbose") == 0) {
      verbose = true;
    } else if (std::strcmp(argv[i], "--seed") == 0 && value && ReadNumber(argv[i + 1], seed)) {
      one = true;
      ++i;
    } else if (std::strcmp(argv[i], "--count") == 0 && value && ReadNumber(argv[i + 1], count)) {
      ++i;
    } else {
      return Usage();
    }
  }
  if (!verbose) spdlog::set_level(spdlog::level::off);
  if (count == 0) count = one ? 1 : 1000;
  WorldCounts sum;
  for (uint64_t i = 0; i < count; ++i) {
    World world(seed + i, verbose);
    const auto broken = world.Run();
    Add(sum, world.counts());
    if (!broken) {
      if ((i + 1) % 100 == 0) std::cerr << i + 1 << " of " << count << "\n";
      continue;
    }
    std::cout << *broken << "\nseed " << seed + i << "   replay: ./x sim --seed " << seed + i
              << " --verbose\n";
    return 1;
  }
  std::cout << count << " nights held: " << sum.pages << " pages decided, " << sum.deliveries
            << " messages delivered, " << sum.crashes << " crashes, " << sum.errors << " errors of the disk, "
            << sum.jumps << " jumps of the clock, " << sum.acknowledged << " acknowledged, " << sum.ended
            << " policies ended with nobody\n";
  return 0;
}
