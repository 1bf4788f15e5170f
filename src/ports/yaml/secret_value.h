// A secret in a configuration file: as it is under its key, or in a file of its own under KEY_file.
//
//   password: hunter2            or            password_file: /run/secrets/mail     (or relative to this
//   file)
//
// A file is a regular file of at most 16 KiB, read when the configuration is; white space at its ends is no
// part of it. Errors name the place and the file, never the secret. Thread-safety: as YamlValue.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ports/yaml/yaml_value.h"

namespace tocsin::ports {

inline constexpr size_t kMaxSecretBytes = 16u << 10;

struct SecretValue {
  std::string text;
  YamlValue at;  // the value under KEY or KEY_file, for what is wrong with it
};

// Nothing when neither key is there; kInvalidArgument when both are, when it is empty, or when the file
// cannot be read. `key` must be among the mapping's keys, and so must key + "_file".
Result<std::optional<SecretValue>> FindSecret(const YamlValue& mapping, std::string_view key,
                                              size_t most = kMaxSecretBytes);

}  // namespace tocsin::ports
