// The notifiers of a configuration: one for each channel, with its templates, and the destinations.
// Thread-safe. kInvalidArgument as NotifierDirectory::SetDestinations.
#pragma once

#include "kernel/status.h"
#include "ports/clock.h"
#include "respond/dispatch/dispatch_config.h"
#include "respond/notify/directory.h"

namespace tocsin::respond {

// The clock must outlive the directory. Without `mail` an e-mail destination has nobody who speaks to it.
Status EquipDirectory(const DispatchConfig& config, const ports::Clock& clock, NotifierDirectory& directory);

}  // namespace tocsin::respond
