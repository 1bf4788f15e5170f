#include "surface/cli/command.h"

#include <ostream>

namespace tocsin::surface {

void CommandContext::Fail(const Status& status) {
  err << "tocsin: " << status.message() << '\n';
  switch (status.code()) {
    case Code::kNotFound:
      exit_code = 1;
      break;
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
      exit_code = 3;
      break;
    default:
      exit_code = 2;
  }
}

}  // namespace tocsin::surface
