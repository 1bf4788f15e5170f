#include "act/execute/bundle_executor.h"

#include "act/execute/internal/call_parts.h"

namespace tocsin::act {
namespace {

class BundleExecutor : public Executor {
 public:
  std::vector<ActionSpec> Actions() const override { return BundleActions(); }
  Status Check(const ExecutorCall& call) const override {
    TOCSIN_RETURN_IF_ERROR(internal::CheckParameters(BundleActions(), call));
    return Status(Code::kUnimplemented,
                  "bundle.switch: this version of Tocsin cannot switch bundles; make it a manual step");
  }
  Result<Preview> Look(const ExecutorCall& call, std::stop_token /*stop*/) override {
    return Error(Check(call));
  }
  Receipt Run(const ExecutorCall& call, std::stop_token /*stop*/) override {
    return internal::NotBegun(Check(call));
  }
  Receipt Recover(const ExecutorCall& call, std::stop_token /*stop*/) override {
    return internal::NotBegun(Check(call));
  }
};

}  // namespace

std::vector<ActionSpec> BundleActions() {
  ActionSpec spec = internal::MakeSpec(
      "bundle.switch", "moves a service to another bundle",
      {{"service", "text", true, "whose bundle"}, {"bundle", "text", true, "id of the bundle to move to"}});
  spec.undo = {"bundle"};
  spec.outputs = {"bundle"};
  spec.recoverable = true;
  spec.usual_inverse = {{"action", "bundle.switch"},
                        {"with", {{"service", "{{ with.service }}"}, {"bundle", "{{ undo.bundle }}"}}}};
  return {spec};
}

std::unique_ptr<Executor> MakeBundleExecutor() { return std::make_unique<BundleExecutor>(); }

}  // namespace tocsin::act
