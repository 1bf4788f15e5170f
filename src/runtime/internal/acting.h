// Acting: makes the desk of a server from its settings, and tells people what it asks of them.
// Ownership: the desk refers to what is given, which must outlive it. Thread-safety: as the desk's.
#pragma once

#include <memory>

#include "act/desk/make_act_desk.h"
#include "investigate/investigation_desk.h"
#include "respond/dispatch/dispatcher.h"
#include "respond/notify/message.h"

namespace tocsin::runtime::internal {

// The card as a message: everything one decides upon, with buttons where a channel brings clicks back.
respond::NotificationMessage QuestionMessage(const act::Approval& approval, const std::string& url);

Result<std::unique_ptr<act::RunningDesk>> OpenActing(const act::ActSettings& settings,
                                                     const std::string& data, store::Ledger& ledger,
                                                     const ports::Clock& clock,
                                                     const investigate::InvestigationDesk& investigations,
                                                     respond::Dispatcher& dispatcher);

}  // namespace tocsin::runtime::internal
