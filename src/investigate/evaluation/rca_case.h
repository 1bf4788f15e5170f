// A recorded window with what is known about it, whatever data set it comes from.
#pragma once

#include <string>

#include "investigate/root_cause/root_cause_input.h"

namespace tocsin::investigate {

struct RcaCase {
  std::string name;
  RootCauseInput input;
  std::string cause;  // the labelled service; empty: nothing was wrong
  // What in the service, where labelled: a metric's name, or "step_step" of its code. Empty: not labelled.
  std::string inner_cause;
  std::string fault;  // kind of fault, for people
};

}  // namespace tocsin::investigate
