// flagd's flag definitions in a JSON file: the default variant of one flag read and changed, every other byte
// kept. The file is replaced at once (rename), with its mode and owner, which flagd watches for; a file that
// somebody changed in the meantime is left alone.
//
//   {"flags": {"new-checkout": {"state": "ENABLED", "variants": {"on": true, "off": false},
//                               "defaultVariant": "on", "targeting": {…}}}}
//
// Thread-safety: none between two changes of one file: the executor takes turns. Bounds: 4 MiB. Errors:
// kNotFound (no such file or flag), kInvalidArgument (no such variant), kFailedPrecondition (not such JSON;
// the file changed meanwhile), kUnavailable (cannot be read or written).
#pragma once

#include <string>
#include <vector>

#include "kernel/status.h"

namespace tocsin::act {

struct FlagInFile {
  std::string variant;  // the default one; "" = none
  std::vector<std::string> variants;
  bool has_targeting = false, disabled = false;
  std::string file_text;  // all of it, as it was read
};

Result<FlagInFile> ReadFlagInFile(const std::string& path, const std::string& flag);
// `read` is what the change is based on.
Status WriteFlagInFile(const std::string& path, const std::string& flag, const std::string& variant,
                       const FlagInFile& read);

}  // namespace tocsin::act
