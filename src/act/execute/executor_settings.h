// ExecutorSettings: what each executor may touch, from `act.executors` in tocsin.yaml. What is not named
// cannot be reached: no executor has a default address, binary, namespace or repository. Value type; holds
// secrets (headers, tokens): never shown.
//
// Patterns of names are a name, or the beginning of one and "*".
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernel/time.h"
#include "ports/process/program_runner.h"

namespace tocsin::act {

struct HttpEndpoint {
  std::string base_url;  // "https://deploy.internal/api": no user, query, fragment, no "/" at its end
  std::string ca_file;   // PEM; "" = the machine's
  std::vector<std::pair<std::string, std::string>> headers;
};

// How to learn what became of a request: GET `path` with {key} in it. 404: it never arrived.
struct HttpRecovery {
  std::string path;                       // "" = the service cannot tell
  std::string pointer;                    // to a text in its JSON answer; "": any 2xx says it is done
  std::vector<std::string> done, failed;  // what the text says
};

struct HttpService {
  HttpEndpoint endpoint;
  std::vector<std::string> methods;  // of http.request; GET needs no mention
  std::vector<std::string> paths;    // beginnings: "/flags/"
  HttpRecovery recovery;
};

struct CommandEntry {
  std::string path;
  std::vector<std::string> fixed;     // arguments before those of a runbook
  std::vector<std::string> patterns;  // RE2, each for the whole of one further argument
  std::vector<std::string> dry_run;   // arguments between the two that make it only look; none: it cannot
  std::string directory = "/";
  std::string user;
  std::map<std::string, std::string> environment;
  bool network = false;
  ports::ProgramLimits limits;
};

struct ClusterEntry {
  HttpEndpoint endpoint;                // the API server
  std::string token_file;               // read at every call: tokens of service accounts are renewed
  std::vector<std::string> namespaces;  // patterns
  std::vector<std::string> nodes;       // patterns: cordon, uncordon, drain
};

// Where flags live: a file of flagd, or an API.
struct FlagStore {
  std::string file;
  HttpEndpoint api;                             // base_url "" = none
  std::string api_path = "/flags/{flag}";       // GET and `api_method`
  std::string api_pointer = "/defaultVariant";  // to the variant in what GET answers
  std::string api_method = "PUT";               // of the whole document; PATCH: of the variant alone
  HttpEndpoint ofrep;                           // for evaluation; base_url "" = none
  std::vector<std::string> flags;               // patterns
};

struct RepositoryEntry {
  std::string remote;  // path, https or ssh URL
  std::string branch = "main";
  std::string author_name = "Tocsin", author_email = "tocsin@localhost";
  std::vector<std::string> paths;              // patterns: what git.restore may restore
  std::string ssh_key_file, known_hosts_file;  // for ssh
  std::string authorization;                   // for https: the header's value
};

struct ExecutorSettings {
  std::map<std::string, HttpService> services;
  std::map<std::string, CommandEntry> commands;
  std::map<std::string, ClusterEntry> clusters;
  std::map<std::string, FlagStore> flags;
  std::map<std::string, RepositoryEntry> repositories;
  std::string git = "/usr/bin/git";
};

bool MatchesName(const std::vector<std::string>& patterns, std::string_view name);

}  // namespace tocsin::act
