#include "respond/dispatch/equip.h"

#include <memory>

#include "respond/notify/email.h"
#include "respond/notify/ntfy.h"
#include "respond/notify/pagerduty_events.h"
#include "respond/notify/signed_webhook.h"
#include "respond/notify/slack_webhook.h"

namespace tocsin::respond {

Status EquipDirectory(const DispatchConfig& config, const ports::Clock& clock, NotifierDirectory& directory) {
  directory.SetNotifier(std::make_shared<SlackWebhookNotifier>(HttpNotifierOptions{}, config.templates));
  directory.SetNotifier(std::make_shared<NtfyNotifier>(HttpNotifierOptions{}, config.templates));
  directory.SetNotifier(std::make_shared<PagerdutyNotifier>());
  directory.SetNotifier(std::make_shared<SignedWebhookNotifier>(clock));
  if (config.mail) {
    directory.SetNotifier(
        std::make_shared<EmailNotifier>(config.mail->server, config.mail->from, clock, config.templates));
  }
  return directory.SetDestinations(config.destinations);
}

}  // namespace tocsin::respond
