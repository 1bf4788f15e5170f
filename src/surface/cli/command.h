// How a subcommand of `tocsin` is written: one file a command, each with one function Add<Name>(CLI::App&,
// CommandContext&) that declares options and sets a callback. The callback does the work, prints results to
// context.out and errors to context.err, and leaves its exit code in context.exit_code: 0 done, 1 a negative
// answer (chain broken, not found), 2 wrong usage or input, 3 the server or store could not be reached.
#pragma once

#include <CLI/CLI.hpp>
#include <iosfwd>
#include <string>

#include "kernel/status.h"

namespace tocsin::surface {

struct CommandContext {
  std::ostream& out;
  std::ostream& err;
  int exit_code = 0;

  // Prints "tocsin: what" and sets the exit code that fits the error.
  void Fail(const Status& status);
};

}  // namespace tocsin::surface
