// The routes of acting, which all read the desk: never on an I/O thread. What `handle` refers to must outlive
// the router.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "surface/http/router.h"

namespace tocsin::surface {

// Below /api a POST takes JSON, elsewhere a page's form; {id} in the path is described unless `parameters`
// does.
void AddActRoute(Router& router, const std::string& method, const std::string& path,
                 std::function<Response(Request&)> handle, const std::string& summary,
                 std::vector<Operation::Answer> answers, std::vector<Operation::Parameter> parameters = {});

}  // namespace tocsin::surface
