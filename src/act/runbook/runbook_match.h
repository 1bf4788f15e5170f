// RunbookMatch: which runbooks may fit an incident, by their triggers and by what alerts link to, with the
// reason. Every kind of list that a trigger has must have a hit; the more it names, the better the match.
// What matches is proposed to people, never begun.
//
// Ownership: none; asks for the library at every call, so that a reload is seen. Thread-safe when `library`
// is.
#pragma once

#include <functional>
#include <memory>

#include "act/runbook/runbook_library.h"
#include "investigate/context/runbook_source.h"

namespace tocsin::act {

class RunbookMatcher final : public investigate::RunbookSource {
 public:
  using Library = std::function<std::shared_ptr<const RunbookLibrary>()>;  // null: none
  explicit RunbookMatcher(Library library) : library_(std::move(library)) {}
  Result<std::vector<investigate::RunbookMatch>> Candidates(const investigate::ContextPack& pack,
                                                            size_t limit) const override;

 private:
  Library library_;
};

}  // namespace tocsin::act
