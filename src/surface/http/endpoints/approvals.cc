// Questions to people: as JSON, and as a page with everything one decides upon and a form. The form takes the
// person's token: without a script and without a session there is nothing that another site could ride on.
#include <fmt/format.h>

#include "surface/http/endpoints/act_route.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/endpoints/read_caller.h"
#include "surface/http/html.h"
#include "surface/http/json_response.h"
#include "surface/http/problem.h"
#include "surface/http/text_response.h"

namespace tocsin::surface {
namespace {

using nlohmann::json;

Response List(const ApiDependencies& api, const Request& request) {
  const auto desk = DeskOf(api);
  if (!desk) return ProblemResponse(desk.error());
  const auto approvals = (*desk)->Approvals(request.Query("all") != "true");
  if (!approvals) return ProblemResponse(approvals.error());
  json list = json::array();
  std::string text;
  for (const act::Approval& approval : *approvals) {
    list.push_back(act::ApprovalToJson(approval));
    text += act::RenderApproval(approval) + "\n";
  }
  if (!WantsText(request)) return JsonResponse(json{{"approvals", std::move(list)}});
  return TextResponse(text.empty() ? "Nothing waits for approval.\n" : text);
}

Response Show(const ApiDependencies& api, const Request& request) {
  const auto desk = DeskOf(api);
  if (!desk) return ProblemResponse(desk.error());
  const auto approval = (*desk)->FindApproval(std::string(request.Param("id")));
  if (!approval) return ProblemResponse(approval.error());
  if (WantsText(request)) return TextResponse(act::RenderApproval(*approval));
  return JsonResponse(act::ApprovalToJson(*approval));
}

Response Answer(const ApiDependencies& api, Request& request) {
  const auto caller = ReadCaller(api, request, "http");
  if (!caller) return ProblemResponse(caller.error());
  const auto body = ReadObject(api, request);
  if (!body) return ProblemResponse(body.error());
  const auto seen = TextIn(*body, "seen", 64), reason = TextIn(*body, "reason", 1000);
  if (!seen) return ProblemResponse(seen.error());
  if (!reason) return ProblemResponse(reason.error());
  const auto approve = body->find("approve");
  if (approve == body->end() || !approve->is_boolean())
    return ProblemResponse(Status(Code::kInvalidArgument, "approve is true or false"));
  const auto answered =
      api.act->Answer(std::string(request.Param("id")), approve->get<bool>(), *seen, *reason, *caller);
  return answered ? JsonResponse(act::ApprovalToJson(*answered)) : ProblemResponse(answered.error());
}

std::string Form(const act::Approval& approval) {
  return fmt::format(
      "<form method=\"post\" action=\"/approvals/{}\"><input type=\"hidden\" name=\"seen\" value=\"{}\">\n"
      "<p><label>Your token<br><input type=\"password\" name=\"token\" required "
      "autocomplete=\"current-password\""
      "></label></p>\n<p><label>Reason<br><input name=\"reason\" maxlength=\"500\"></label></p>\n"
      "<p><button name=\"answer\" value=\"approve\">Approve exactly this</button> "
      "<button name=\"answer\" value=\"deny\">Deny</button></p></form>\n",
      EscapeHtml(approval.id), EscapeHtml(approval.call_hash));
}

Response Page(const ApiDependencies& api, const std::string& id, const std::string& said, int status) {
  const std::string back = "<p><a href=\"/\">All incidents</a></p>\n";
  const auto desk = DeskOf(api);
  if (!desk) return HtmlPage("Tocsin", back + "<p>" + EscapeHtml(desk.error().message()) + "</p>", 404);
  const auto approval = (*desk)->FindApproval(id);
  if (!approval)
    return HtmlPage("Not found", back + "<p>" + EscapeHtml(approval.error().message()) + "</p>", 404);
  const std::string about =
      approval->incident.empty()
          ? ""
          : fmt::format(" for <a href=\"/incidents/{0}\">{0}</a>", EscapeHtml(approval->incident));
  std::string body = back + fmt::format("<h1>{0}</h1>\n<p>{1}, {2}: <a href=\"/runs/{3}\">{3}</a>{4}</p>\n",
                                        EscapeHtml(approval->title), EscapeHtml(approval->id),
                                        EscapeHtml(approval->state), EscapeHtml(approval->run), about);
  if (!said.empty()) body += "<p class=\"sev\">" + EscapeHtml(said) + "</p>\n";
  body += "<dl>\n";
  for (const act::CardLine& line : act::ApprovalCard(*approval))
    body += fmt::format("<dt>{}</dt><dd>{}</dd>\n", EscapeHtml(line.name), EscapeHtml(line.text));
  body += "</dl>\n";
  if (approval->state == "open") body += Form(*approval);
  return HtmlPage(approval->title, body, status);
}

Response AnswerPage(const ApiDependencies& api, const Request& request) {
  const std::string id(request.Param("id"));
  const auto desk = DeskOf(api);
  if (!desk) return Page(api, id, "", 404);
  auto caller = (*desk)->Authenticate(FormText(request.body, "token"));
  if (!caller) return Page(api, id, "Not answered: " + caller.error().message(), 401);
  caller->via = "page";
  const std::string answer = FormText(request.body, "answer");
  if (answer != "approve" && answer != "deny") return Page(api, id, "Not answered: approve or deny", 400);
  const auto answered = (*desk)->Answer(id, answer == "approve", FormText(request.body, "seen"),
                                        FormText(request.body, "reason"), *caller);
  if (!answered)
    return Page(api, id, "Not answered: " + answered.error().message(), HttpStatus(answered.error().code()));
  return Page(api, id, (answer == "approve" ? "Approved by " : "Denied by ") + caller->name + ".", 200);
}

}  // namespace

void AddApprovals(Router& router, const ApiDependencies& api) {
  const auto add = [&](const char* method, const char* path, std::function<Response(Request&)> handle,
                       const char* summary) {
    const bool page = !std::string_view(path).starts_with("/api/");
    const char* type = page ? "text/html" : "application/json";
    std::vector<Operation::Parameter> parameters;
    if (std::string_view(path).find("{id}") != std::string_view::npos)
      parameters = {{"id", "path", "string", "its id, as in AP-7K2QXY"}};
    AddActRoute(
        router, method, path, std::move(handle), summary,
        {{200, type, "the approval"}, {404, page ? type : "application/problem+json", "no such approval"}},
        std::move(parameters));
  };
  add(
      "GET", "/api/v1/approvals", [&api](Request& request) { return List(api, request); },
      "Questions that wait for people; all=true: those that are over too");
  add(
      "GET", "/api/v1/approvals/{id}", [&api](Request& request) { return Show(api, request); },
      "One question");
  add(
      "POST", "/api/v1/approvals/{id}", [&api](Request& request) { return Answer(api, request); },
      "Answer it: {approve, seen, reason}; seen is the call_hash that was shown");
  add(
      "GET", "/approvals/{id}",
      [&api](Request& request) { return Page(api, std::string(request.Param("id")), "", 200); },
      "One question, for people");
  add(
      "POST", "/approvals/{id}", [&api](Request& request) { return AnswerPage(api, request); },
      "The page's form: token, seen, answer, reason");
}

}  // namespace tocsin::surface
