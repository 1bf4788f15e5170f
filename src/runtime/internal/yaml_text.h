// Writes YAML text: values quoted so that they are read back as they were. Pure.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ports/yaml/yaml_value.h"

namespace tocsin::runtime::internal {

// "a\nb" with its quotes.
std::string QuotedYaml(std::string_view text);
// On one line, without control characters, at most 200 bytes.
std::string CommentText(std::string_view text);

// Which keys of a mapping are copied; the others are left out. Under a key without a shape of its own
// everything is.
struct CopyShape {
  std::set<std::string, std::less<>> keys;
  std::map<std::string, const CopyShape*, std::less<>> under;
};

// The lines of a value as block YAML. `left_out` hears of each key that is not copied: "route.routes[1].foo".
std::vector<std::string> CopyYaml(const ports::YamlValue& value, const CopyShape* shape,
                                  const std::function<void(const std::string& path)>& left_out);

}  // namespace tocsin::runtime::internal
