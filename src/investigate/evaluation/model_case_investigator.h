// A model investigating a recorded case, under the rule that holds for every model: it may choose, code
// decides what holds.
//
// It is given the evidence and every finding of the catalogue as data, and answers with one mode. The answer
// counts when the catalogue's own evaluation of the evidence holds for that mode (strength at least 0.5, not
// recovered), or for "healthy" when nothing holds; anything else, and every failure of the model, leaves the
// deterministic diagnosis as it was. Not thread-safe.
#pragma once

#include <memory>
#include <string>

#include "investigate/evaluation/investigation_evaluation.h"
#include "ports/model/model_client.h"

namespace tocsin::investigate {

struct ModelCaseTally {
  uint64_t asked = 0, agreed = 0, overruled = 0, failed = 0;  // overruled: its answer did not hold
};

// The settings' client is made once. kInvalidArgument as MakeModelClient.
Result<CaseInvestigator> MakeModelCaseInvestigator(const ports::ModelSettings& settings,
                                                   std::shared_ptr<ModelCaseTally> tally);

}  // namespace tocsin::investigate
