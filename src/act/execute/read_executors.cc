#include "act/execute/read_executors.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "act/execute/internal/endpoint.h"
#include "act/execute/internal/git_clone.h"
#include "ports/yaml/secret_value.h"

namespace tocsin::act {
namespace {

using ports::YamlSection;

constexpr size_t kMostEntries = 200, kMostPatterns = 100, kMaxUrlBytes = 2048, kMaxPathBytes = 4096;

// A mapping from names to mappings.
void EachNamed(YamlSection& section, std::string_view key,
               const std::function<void(const std::string&, YamlSection&)>& read) {
  const auto at = section.Value(key);
  if (!at) return;
  const auto entries = at->Named(kMostEntries);
  if (!entries) return at->Note(entries.error());
  for (const auto& [name, value] : *entries) {
    YamlSection child(value);
    read(name, child);
    child.Finish();
  }
}

// The names of a secret's keys; the section keeps them, so they are literals.
struct SecretKeys {
  std::string_view plain, in_file, in_environment;
};
constexpr SecretKeys kHeaderValue = {"value", "value_file", "value_env"};
constexpr SecretKeys kAuthorization = {"authorization", "authorization_file", "authorization_env"};

// "" when none is there.
std::string ReadSecret(YamlSection& section, const SecretKeys& keys) {
  (void)section.Value(keys.plain);
  (void)section.Value(keys.in_file);
  std::string name, secret;
  section.Text(keys.in_environment, name);
  const auto found = ports::FindSecret(section.value(), keys.plain);
  if (!found) {
    section.value().Note(found.error());
  } else if (*found) {
    secret = (*found)->text;
    if (!name.empty())
      section.Fail(keys.in_environment,
                   fmt::format("comes beside '{}' or '{}': one of them", keys.plain, keys.in_file));
  } else if (!name.empty()) {
    const char* const value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0')
      section.Fail(keys.in_environment, fmt::format("the environment has no {}", name));
    else
      secret = value;
  }
  if (std::ranges::any_of(secret, [](char c) { return static_cast<unsigned char>(c) < ' '; })) {
    section.Fail(keys.plain, "has a line break or another control character in it");
    return "";
  }
  return secret;
}

// A path, from the folder of the configuration when it is relative.
void ReadPath(YamlSection& section, std::string_view key, std::string& out) {
  section.Text(key, out, kMaxPathBytes);
  if (!out.empty() && !out.starts_with('/'))
    out = std::filesystem::absolute(std::filesystem::path(section.value().file()).parent_path() / out)
              .lexically_normal()
              .string();
}

void ReadHeaders(YamlSection& section, HttpEndpoint& endpoint) {
  section.Each(
      "headers",
      [&](YamlSection& item) {
        std::string name, prefix;
        item.Text("name", name);
        item.Text("prefix", prefix);
        const bool token = !name.empty() && name.find_first_not_of(
                                                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                "0123456789-_") == std::string::npos;
        if (!token) item.Fail("name", "is not the name of a header");
        const std::string value = ReadSecret(item, kHeaderValue);
        if (value.empty()) item.Fail("value", "a header needs 'value', 'value_file' or 'value_env'");
        endpoint.headers.emplace_back(name, prefix + value);
      },
      50);
}

void ReadEndpoint(YamlSection& section, std::string_view url_key, HttpEndpoint& endpoint) {
  section.Text(url_key, endpoint.base_url, kMaxUrlBytes);
  ReadPath(section, "ca_file", endpoint.ca_file);
  const std::string& url = endpoint.base_url;
  const size_t host = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  const bool odd = std::ranges::any_of(url, [](char c) { return c <= ' ' || c > '~'; });
  if (host == 0 || url.size() <= host || url[host] == '/' || odd ||
      url.find_first_of("?#@\\", 0) != std::string::npos || url.ends_with('/')) {
    section.Fail(url_key,
                 "is not an address such as https://deploy.internal/api: http or https, without user, query "
                 "and '/' at its end");
  }
}

void NeedNames(YamlSection& section, std::string_view key, std::vector<std::string>& out,
               std::string_view why) {
  section.Texts(key, out, kMostPatterns);
  if (out.empty()) section.Fail(key, why);
  for (const std::string& pattern : out) {
    const size_t star = pattern.find('*');
    if (pattern.empty() || (star != std::string::npos && star + 1 != pattern.size()))
      section.Fail(key, fmt::format("'{}' is not a name, or the beginning of one and '*'", pattern));
  }
}

void NeedPathPattern(YamlSection& section, std::string_view key, const std::string& path,
                     std::string_view place) {
  const std::string filled = internal::FillPath(path, place, "x");
  if (filled == path || !internal::CheckPath(filled).ok())
    section.Fail(key, fmt::format("is not a path with {{{}}} in it, such as /x/{{{}}}", place, place));
}

void NeedPointer(YamlSection& section, std::string_view key, const std::string& pointer) {
  bool good = pointer.starts_with('/');
  for (size_t at = pointer.find('~'); at != std::string::npos; at = pointer.find('~', at + 1))
    good = good && at + 1 < pointer.size() && (pointer[at + 1] == '0' || pointer[at + 1] == '1');
  if (!good) section.Fail(key, "is not a JSON pointer such as /state");
}

void ReadService(YamlSection& section, HttpService& service) {
  ReadEndpoint(section, "base_url", service.endpoint);
  ReadHeaders(section, service.endpoint);
  section.Texts("methods", service.methods, 10);
  for (const std::string& method : service.methods) {
    if (method != "POST" && method != "PUT" && method != "PATCH" && method != "DELETE" && method != "GET")
      section.Fail("methods", "has one that is not GET, POST, PUT, PATCH or DELETE");
  }
  section.Texts("paths", service.paths, kMostPatterns);
  if (service.paths.empty())
    section.Fail("paths", "is needed: what the paths of requests begin with, such as /flags/");
  for (const std::string& path : service.paths) {
    if (const auto status = internal::CheckPath(path); !status.ok()) section.Fail("paths", status.message());
  }
  section.Map("recover", [&](YamlSection& r) {
    HttpRecovery& recovery = service.recovery;
    r.Text("path", recovery.path, kMaxUrlBytes);
    NeedPathPattern(r, "path", recovery.path, "key");
    r.Text("pointer", recovery.pointer);
    r.Texts("done", recovery.done, 50);
    r.Texts("failed", recovery.failed, 50);
    if (!recovery.pointer.empty()) NeedPointer(r, "pointer", recovery.pointer);
    if (recovery.pointer.empty() != recovery.done.empty())
      r.Fail("done", "goes with 'pointer': which texts there mean that it is done");
  });
}

void ReadProgramLimits(YamlSection& section, ports::ProgramLimits& limits) {
  section.Map("limits", [&](YamlSection& r) {
    Duration cpu = Duration::Seconds(limits.cpu_seconds);
    r.Span("cpu", cpu);
    limits.cpu_seconds = std::max<int64_t>(1, cpu.ns / 1'000'000'000);
    r.Bytes("memory", limits.memory_bytes);
    r.Bytes("file_size", limits.file_bytes);
    r.Bytes("output", limits.output_bytes);
    if (limits.output_bytes > (1u << 20)) r.Fail("output", "is more than 1MiB");
    size_t files = static_cast<size_t>(limits.open_files), processes = static_cast<size_t>(limits.processes);
    r.Count("open_files", files, 8, 100'000);
    r.Count("processes", processes, 1, 100'000);
    limits.open_files = static_cast<int64_t>(files);
    limits.processes = static_cast<int64_t>(processes);
  });
}

void ReadCommand(YamlSection& section, CommandEntry& command) {
  section.Text("path", command.path, kMaxPathBytes);
  if (!command.path.starts_with('/')) section.Fail("path", "is not the absolute path of a program");
  section.Texts("fixed", command.fixed, kMostPatterns);
  section.Texts("arguments", command.patterns, kMostPatterns);
  for (const std::string& pattern : command.patterns) {
    if (const RE2 compiled(pattern, RE2::Quiet); !compiled.ok())
      section.Fail("arguments", fmt::format("'{}' is not a pattern: {}", pattern, compiled.error()));
  }
  section.Texts("dry_run", command.dry_run, kMostPatterns);
  section.Text("directory", command.directory, kMaxPathBytes);
  if (!command.directory.starts_with('/')) section.Fail("directory", "is not an absolute path");
  section.Text("user", command.user);
  section.TextMap("environment", command.environment, kMostPatterns);
  section.Flag("network", command.network);
  ReadProgramLimits(section, command.limits);
}

void ReadCluster(YamlSection& section, ClusterEntry& cluster) {
  ReadEndpoint(section, "server", cluster.endpoint);
  ReadPath(section, "token_file", cluster.token_file);
  if (cluster.token_file.empty())
    section.Fail("token_file",
                 "is needed: the token of a service account that may do no more than runbooks need");
  NeedNames(section, "namespaces", cluster.namespaces,
            "is needed: the namespaces whose workloads may be changed");
  if (section.Value("nodes")) NeedNames(section, "nodes", cluster.nodes, "is empty");
}

void ReadFlagStore(YamlSection& section, FlagStore& store) {
  ReadPath(section, "file", store.file);
  section.Map("api", [&](YamlSection& r) {
    ReadEndpoint(r, "base_url", store.api);
    ReadHeaders(r, store.api);
    r.Text("path", store.api_path, kMaxUrlBytes);
    NeedPathPattern(r, "path", store.api_path, "flag");
    r.Text("pointer", store.api_pointer);
    NeedPointer(r, "pointer", store.api_pointer);
    r.Text("method", store.api_method);
    if (store.api_method != "PUT" && store.api_method != "PATCH")
      r.Fail("method", "is neither PUT nor PATCH");
  });
  section.Map("ofrep", [&](YamlSection& r) {
    ReadEndpoint(r, "base_url", store.ofrep);
    ReadHeaders(r, store.ofrep);
  });
  if (!store.file.empty() && !store.api.base_url.empty())
    section.Fail("api", "comes beside 'file': one of them");
  if (store.file.empty() && store.api.base_url.empty() && store.ofrep.base_url.empty())
    section.Fail("file", "a store needs 'file', 'api' or 'ofrep'");
  NeedNames(section, "flags", store.flags, "is needed: which flags, such as [checkout-*]");
}

void ReadRepository(YamlSection& section, RepositoryEntry& repository) {
  section.Text("remote", repository.remote, kMaxUrlBytes);
  const std::string protocol = internal::GitProtocol(repository.remote);
  const bool odd = std::ranges::any_of(repository.remote, [](char c) { return c <= ' ' || c > '~'; });
  if (protocol.empty() || odd)
    section.Fail("remote", "is not an https or ssh URL, nor an absolute path, of a repository");
  section.Text("branch", repository.branch);
  const std::string& branch = repository.branch;
  if (branch.empty() || branch.front() == '-' || branch.front() == '/' ||
      branch.find("..") != std::string::npos || !std::ranges::all_of(branch, [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' ||
               c == '/';
      })) {
    section.Fail("branch", "is not the name of a branch");
  }
  section.Map("author", [&](YamlSection& r) {
    r.Text("name", repository.author_name);
    r.Text("email", repository.author_email);
    if (repository.author_name.empty() || repository.author_email.empty())
      r.Fail("email", "an author has a name and an email");
  });
  NeedNames(section, "paths", repository.paths,
            "is needed: the files that commits may change, such as [config/*]");
  ReadPath(section, "ssh_key_file", repository.ssh_key_file);
  ReadPath(section, "known_hosts_file", repository.known_hosts_file);
  for (const auto& [key, path] :
       {std::pair<std::string_view, const std::string&>{"ssh_key_file", repository.ssh_key_file},
        {"known_hosts_file", repository.known_hosts_file}}) {
    if (protocol == "ssh" && path.empty()) section.Fail(key, "is needed for ssh");
    if (path.find_first_of("'\\\"\n") != std::string::npos) section.Fail(key, "has a quote in it");
  }
  repository.authorization = ReadSecret(section, kAuthorization);
  if (!repository.authorization.empty() && protocol != "https" && protocol != "http")
    section.Fail("authorization", "is of use for https only");
}

}  // namespace

void ReadExecutors(YamlSection& section, ExecutorSettings& settings) {
  EachNamed(section, "services",
            [&](const std::string& name, YamlSection& r) { ReadService(r, settings.services[name]); });
  EachNamed(section, "commands",
            [&](const std::string& name, YamlSection& r) { ReadCommand(r, settings.commands[name]); });
  EachNamed(section, "clusters",
            [&](const std::string& name, YamlSection& r) { ReadCluster(r, settings.clusters[name]); });
  EachNamed(section, "flags",
            [&](const std::string& name, YamlSection& r) { ReadFlagStore(r, settings.flags[name]); });
  EachNamed(section, "repositories",
            [&](const std::string& name, YamlSection& r) { ReadRepository(r, settings.repositories[name]); });
  section.Text("git", settings.git, kMaxPathBytes);
  if (!settings.git.starts_with('/')) section.Fail("git", "is not the absolute path of git");
}

}  // namespace tocsin::act
