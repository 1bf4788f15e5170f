#include "respond/notify/directory.h"

namespace tocsin::respond {

void NotifierDirectory::SetNotifier(std::shared_ptr<Notifier> notifier) {
  const std::string channel(notifier->channel());
  const std::lock_guard lock(mutex_);
  notifiers_[channel] = std::move(notifier);
}

Status NotifierDirectory::SetDestinations(std::vector<Destination> destinations) {
  std::map<std::string, Destination> by_name;
  for (Destination& one : destinations) {
    if (one.name.empty()) return Status(Code::kInvalidArgument, "a destination has no name");
    const std::string name = one.name;
    if (!by_name.emplace(name, std::move(one)).second) {
      return Status(Code::kInvalidArgument, "destination '" + name + "' is there twice");
    }
  }
  const std::lock_guard lock(mutex_);
  destinations_ = std::move(by_name);
  return Status::Ok();
}

std::optional<NotifierRoute> NotifierDirectory::Find(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto destination = destinations_.find(name);
  if (destination == destinations_.end()) return std::nullopt;
  const auto notifier = notifiers_.find(destination->second.channel);
  if (notifier == notifiers_.end()) return std::nullopt;
  return NotifierRoute{destination->second, notifier->second};
}

ChannelTraits NotifierDirectory::TraitsOf(const std::string& name) const {
  const auto route = Find(name);
  if (!route) return {};
  return {.deduplicates = route->notifier->deduplicates_by_key(),
          .takes_digests = route->notifier->takes_digests(),
          .limit = route->destination.limit};
}

std::vector<std::string> NotifierDirectory::Names() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, destination] : destinations_) names.push_back(name);
  return names;
}

}  // namespace tocsin::respond
