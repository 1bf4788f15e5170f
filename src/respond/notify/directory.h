// NotifierDirectory: which destinations there are and who speaks to them. The destinations are replaced as a
// whole when the configuration is read again; what is being sent keeps what it began with. Owns the
// notifiers. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "respond/notify/message.h"
#include "respond/notify/outbox.h"

namespace tocsin::respond {

struct NotifierRoute {
  Destination destination;
  std::shared_ptr<Notifier> notifier;
};

class NotifierDirectory {
 public:
  // One a channel; a later one takes the place of an earlier.
  void SetNotifier(std::shared_ptr<Notifier> notifier);
  // kInvalidArgument, changing nothing, when a name is empty or there twice.
  Status SetDestinations(std::vector<Destination> destinations);

  // Nothing when there is no such destination, or nobody speaks its channel.
  std::optional<NotifierRoute> Find(const std::string& name) const;
  // Of a destination that is not there: those of a channel that promises nothing.
  ChannelTraits TraitsOf(const std::string& name) const;
  std::vector<std::string> Names() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Notifier>, std::less<>> notifiers_;  // by channel
  std::map<std::string, Destination> destinations_;
};

}  // namespace tocsin::respond
