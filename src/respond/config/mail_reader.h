// Reads `mail`, the server by which e-mail is sent, and `slack`, by whose secret clicks are believed. What is
// wrong is noted; secrets are never in it. Thread-safety: as YamlValue.
#pragma once

#include <optional>
#include <string>

#include "ports/yaml/yaml_value.h"
#include "respond/dispatch/dispatch_config.h"

namespace tocsin::respond {

void ReadMail(const ports::YamlValue& yaml, std::optional<MailSettings>& out);
void ReadSlack(const ports::YamlValue& yaml, std::string& signing_secret);
// Whoever is told by e-mail needs `mail` at the root.
void CheckMail(const ports::YamlValue& root);

}  // namespace tocsin::respond
