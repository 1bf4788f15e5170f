// Writes a tocsin.yaml from an Alertmanager configuration: routes, inhibition and time intervals as they are,
// receivers as destinations and who is told. Whom to wake (policies) it cannot know: Alertmanager has nobody.
//
// Pure, but for what the reader of the result does. What cannot be carried over is in `left_out`, and in the
// text as a comment. Secrets go over as written, or as references to their files, and are in no note.
// Source: Alertmanager's configuration reference. Errors: kInvalidArgument with the place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernel/status.h"

namespace tocsin::runtime {

struct ImportedSettings {
  std::string yaml;
  std::vector<std::string> left_out;  // "receiver 'ml': slack_configs[0]: title, text"
};

// `file_name` names the place of errors; references to files are made relative to its folder.
Result<ImportedSettings> ImportAlertmanager(std::string_view text, const std::string& file_name);

}  // namespace tocsin::runtime
