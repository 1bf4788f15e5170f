// Router: one table of path, method and handler. The same table makes the OpenAPI document, so that it cannot
// name a path that does not exist.
//
// A path is exact, or has one {name} segment at most, which matches one non-empty segment.
// Ownership: owns the routes. Thread-safety: read-only once serving.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "surface/http/message.h"

namespace tocsin::surface {

// For the OpenAPI document.
struct Operation {
  std::string summary;
  struct Parameter {
    std::string name;
    std::string in = "query";     // query, path
    std::string type = "string";  // JSON Schema type
    std::string description;
  };
  std::vector<Parameter> parameters;
  std::vector<std::string> request_types;  // media types of the body; empty = no body
  struct Answer {
    int status = 200;
    std::string content_type = "application/json";
    std::string description;
  };
  std::vector<Answer> answers;  // errors that any request may get need not be named
};

struct Route {
  std::string method;
  std::string path;
  Handler handler;
  Operation operation;
  bool blocking = false;  // reads a store: runs on the query threads, not on an I/O thread
};

class Router {
 public:
  void Add(Route route) { routes_.push_back(std::move(route)); }
  const std::vector<Route>& routes() const { return routes_; }

  struct Match {
    const Route* route = nullptr;  // null: 404 or 405
    std::string allow;             // for 405: the methods this path has; "" for 404
    std::vector<std::pair<std::string, std::string>> params;
  };
  Match Find(std::string_view method, std::string_view path) const;

 private:
  std::vector<Route> routes_;
};

}  // namespace tocsin::surface
