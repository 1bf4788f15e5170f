#include "surface/http/endpoints/read_body.h"

#include "ingest/inflate.h"
#include "surface/http/problem.h"

namespace tocsin::surface {

Status InflateBody(Request& request, const Limits& limits) {
  TOCSIN_ASSIGN_OR_RETURN(const ingest::ContentEncoding encoding,
                          ingest::ParseContentEncoding(request.Header("content-encoding")));
  if (encoding == ingest::ContentEncoding::kIdentity) return Status::Ok();
  TOCSIN_ASSIGN_OR_RETURN(request.body, ingest::Inflate(request.body, encoding, limits));
  return Status::Ok();
}

ingest::DecodeOptions DecodeNow(const ApiDependencies& api) {
  ingest::DecodeOptions options = api.decode;
  options.received = api.clock.Now();
  return options;
}

void StoreThen(const ApiDependencies& api, signal::Batch batch, Response success, const Responder& respond) {
  api.writer.Append(std::move(batch),
                    [respond, success = std::move(success)](const Result<uint64_t>& position) {
                      respond(position ? success : ProblemResponse(position.error()));
                    });
}

}  // namespace tocsin::surface
