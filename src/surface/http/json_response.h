// Answers with a JSON body. Pure; thread-safe. Invalid UTF-8 is replaced, never an exception.
#pragma once

#include <nlohmann/json.hpp>

#include "surface/http/message.h"

namespace tocsin::surface {

template <class Json>
Response JsonResponse(const Json& json, int status = 200) {
  Response response;
  response.status = status;
  response.body = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  response.body += '\n';
  return response;
}

}  // namespace tocsin::surface
