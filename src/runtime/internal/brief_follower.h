// BriefFollower: makes the brief of every incident as soon as it is open, also of one that wakes nobody. One
// thread; an incident whose brief failed is tried again a few times, with longer waits. Ownership: refers to
// the desk, which must outlive it. The destructor stops a brief that is being made.
#pragma once

#include <thread>

#include "investigate/investigation_desk.h"

namespace tocsin::runtime::internal {

class BriefFollower {
 public:
  BriefFollower(investigate::InvestigationDesk& desk, bool ask_model);
  ~BriefFollower();
  BriefFollower(const BriefFollower&) = delete;
  BriefFollower& operator=(const BriefFollower&) = delete;

 private:
  void Run(const std::stop_token& stop);

  investigate::InvestigationDesk& desk_;
  bool ask_model_;
  std::jthread thread_;
};

}  // namespace tocsin::runtime::internal
