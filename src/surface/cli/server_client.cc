#include "surface/cli/server_client.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "ports/http_client.h"

namespace tocsin::surface {
namespace {

Code CodeOf(int http_status) {
  switch (http_status) {
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 429:
    case 502:
    case 503:
    case 504:
      return Code::kUnavailable;
    default:
      return http_status >= 500 ? Code::kInternal : Code::kInvalidArgument;
  }
}

Result<std::string> Send(ports::HttpRequest request, const std::string& url) {
  ports::HttpClient client;
  auto response = client.Send(request);
  if (!response) {
    const Status& status = response.error();
    if (status.code() != Code::kUnavailable) return Error(status);
    return Error(
        Code::kUnavailable,
        fmt::format(
            "no server answers at {}: start one with 'tocsin serve', or name another with --url\n  {}", url,
            status.message()));
  }
  if (response->status >= 200 && response->status < 300) return std::move(response->body);
  std::string detail = fmt::format("the server answered {}", response->status);
  const auto problem = nlohmann::json::parse(response->body, nullptr, false);
  if (problem.is_object() && problem.contains("detail") && problem["detail"].is_string()) {
    detail = problem["detail"].get<std::string>();
  }
  return Error(CodeOf(response->status), std::move(detail));
}

std::string Join(std::string url, std::string_view path) {
  while (url.ends_with('/')) url.pop_back();
  return url.append(path);
}

}  // namespace

Result<std::string> AskServer(const std::string& url, std::string_view path, std::string_view accept) {
  ports::HttpRequest request;
  request.url = Join(url, path);
  request.headers = {{"Accept", std::string(accept)}};
  return Send(std::move(request), url);
}

Result<std::string> TellServer(const std::string& url, std::string_view path, std::string_view json_body,
                               const std::string& token) {
  ports::HttpRequest request;
  request.method = "POST";
  request.url = Join(url, path);
  request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
  if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
  request.body = json_body;
  return Send(std::move(request), url);
}

Result<std::string> FindToken(const std::string& file) {
  std::string path = file;
  if (path.empty()) {
    if (const char* token = std::getenv("TOCSIN_TOKEN"); token != nullptr && *token != 0)
      return std::string(token);
    const char* home = std::getenv("HOME");
    if (home != nullptr) path = std::string(home) + "/.config/tocsin/token";
  }
  std::ifstream in(path);
  std::string token;
  if (in >> token) return token;
  return Error(
      Code::kUnauthenticated,
      "no token" + (file.empty() ? std::string() : " in " + file) +
          ": set TOCSIN_TOKEN or write it to ~/.config/tocsin/token ('tocsin token new NAME' makes one)");
}

}  // namespace tocsin::surface
