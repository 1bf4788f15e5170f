// StartTelemetryWriter with the journal's files chosen: the tests give ones that fail.
#pragma once

#include "store/internal/journal_file.h"
#include "store/telemetry_writer.h"

namespace tocsin::store::internal {

Result<std::unique_ptr<TelemetryWriter>> StartWriter(const WriterOptions& options, TelemetryStore& store,
                                                     TelemetryWriter::Consumer consumer,
                                                     JournalFileFactory factory);

}  // namespace tocsin::store::internal
