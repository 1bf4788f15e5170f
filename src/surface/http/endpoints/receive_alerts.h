// What the endpoints that take alerts share: the body inflated and decoded, the alerts durable in the desk,
// then the answer. Thread-safety: pure, but for the desk.
#pragma once

#include <functional>

#include "ingest/alert_decoder.h"
#include "surface/http/api_dependencies.h"
#include "surface/http/endpoints/read_body.h"
#include "surface/http/message.h"
#include "surface/http/router.h"

namespace tocsin::surface {

using AlertDecode = std::function<Result<ingest::AlertOutcome>(const Request&, const ingest::AlertOptions&)>;

// 200 when all are in; 400 with every reason when some are not, the others being in all the same, as
// Alertmanager answers.
void ReceiveAlerts(const ApiDependencies& api, Request&& request, const Responder& respond,
                   const AlertDecode& decode);
// How such an endpoint describes itself.
Operation AlertsIn(const char* summary);

}  // namespace tocsin::surface
