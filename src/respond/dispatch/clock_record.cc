#include "respond/dispatch/clock_record.h"

#include <nlohmann/json.hpp>

namespace tocsin::respond {
namespace {

using nlohmann::json;

// `reader`: a ledger, or a transaction on it.
template <class Reader>
Result<ClockRecord> ReadFrom(Reader& reader) {
  TOCSIN_ASSIGN_OR_RETURN(const auto document, reader.FindDocument("dispatch", "clock"));
  if (!document) return ClockRecord{};
  try {
    const json body = json::parse(document->body_json);
    return ClockRecord{Time{body.at("looked_ns").get<int64_t>()},
                       Duration{body.at("back_ns").get<int64_t>()}};
  } catch (const json::exception&) {
    return Error(Status::FromException("reading when the clock was looked at", Code::kDataLoss));
  }
}

}  // namespace

Result<ClockRecord> ReadClock(store::Ledger& ledger) { return ReadFrom(ledger); }
Result<ClockRecord> ReadClock(store::LedgerTransaction& transaction) { return ReadFrom(transaction); }

Status WriteClock(store::LedgerTransaction& transaction, const ClockRecord& record) {
  const json body = {{"looked_ns", record.looked.ns}, {"back_ns", record.back.ns}};
  return transaction.PutDocument({"dispatch", "clock", Time{}, body.dump()});
}

}  // namespace tocsin::respond
