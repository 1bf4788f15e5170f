// A click in Slack on a button of Tocsin's: acknowledge, approve, deny, stop all agents.
//
// Nothing is read before Slack's signature holds. The answer is the body of this request and, because Slack
// shows only that, a message to the click's response_url, which must be of the same origin as a Slack
// destination that is configured: a forged address leads nowhere.
#include "respond/notify/slack_interaction.h"

#include "act/act_desk.h"
#include "respond/notify/http_post.h"
#include "respond/notify/notice_text.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/json_response.h"
#include "surface/http/problem.h"

namespace tocsin::surface {
namespace {

using nlohmann::json;
using respond::DispatchConfig;
using respond::SlackClick;

struct Reply {
  std::string text;     // "": nothing to say
  bool to_all = false;  // else only to who clicked
};

std::string NameOf(const DispatchConfig& config, const std::string& person) {
  const auto it = config.oncall.people.find(person);
  return it == config.oncall.people.end() || it->second.name.empty() ? person : it->second.name;
}

// "AP-7K2QXY 64 hex digits": the question, and the call that the message showed.
Reply Answer(const ApiDependencies& api, const DispatchConfig& config, const SlackClick& click) {
  if (api.act == nullptr) return {"Not answered: acting is not configured."};
  const auto person = config.slack_people.find(click.user_id);
  if (click.by_bot || person == config.slack_people.end())
    return {"Not answered: Tocsin does not know the Slack user " + click.user_id +
            ". Set it as slack_user of a person in tocsin.yaml."};
  const size_t blank = click.value.find(' ');
  const std::string id = click.value.substr(0, blank);
  const std::string seen = blank == std::string::npos ? "" : click.value.substr(blank + 1);
  const bool approve = click.action == "approve";
  const auto answered = api.act->Answer(id, approve, seen, "", {person->second, true, "slack"});
  if (!answered) return {"Not answered: " + answered.error().message()};
  return {id + (approve ? " is approved by " : " is denied by ") + NameOf(config, person->second) +
              (answered->state == "open" ? "; it needs another person." : "."),
          true};
}

// To stop is anybody's whom Slack vouches for.
Reply Kill(const ApiDependencies& api, const DispatchConfig& config, const SlackClick& click) {
  if (api.act == nullptr) return {"Not stopped: acting is not configured."};
  const auto person = config.slack_people.find(click.user_id);
  const bool known = !click.by_bot && person != config.slack_people.end();
  const auto scope = act::ParseKillScope(click.value);
  if (!scope) return {"Not stopped: " + scope.error().message()};
  const act::Caller caller{known ? person->second : "slack:" + click.user_id, known, "slack"};
  const auto state = api.act->Kill(*scope, "a click in Slack", caller);
  if (!state) return {"Stopped here, but: " + state.error().message()};
  return {"Stopped: " + scope->ToText() + ", by " + (known ? NameOf(config, person->second) : click.user_id) +
              ". A person releases it with 'tocsin release'.",
          true};
}

Reply Acknowledge(const ApiDependencies& api, const DispatchConfig& config, const SlackClick& click) {
  respond::Actor actor{"slack:" + click.user_id, false};
  if (!click.by_bot) {
    const auto person = config.slack_people.find(click.user_id);
    if (person == config.slack_people.end()) {
      return {"Not acknowledged: Tocsin does not know the Slack user " + click.user_id +
              ". Set it as slack_user of a person in tocsin.yaml."};
    }
    actor = {person->second, true};
  }
  const auto view = api.dispatch.Act(IncidentId{click.value}, {"acknowledge", {}, {}}, actor);
  if (!view) return {"Not acknowledged: " + view.error().message()};
  return {click.value + " is acknowledged by " + NameOf(config, actor.name) + ".", true};
}

json ReplyJson(const Reply& reply) {
  if (reply.text.empty()) return json::object();
  return {{"response_type", reply.to_all ? "in_channel" : "ephemeral"},
          {"replace_original", false},
          {"text", reply.text}};
}

bool IsSlacksOwn(const DispatchConfig& config, const std::string& url) {
  if (!respond::IsWebUrl(url)) return false;
  for (const auto& destination : config.destinations) {
    if (destination.channel == "slack" &&
        respond::PublicPartOfUrl(destination.address) == respond::PublicPartOfUrl(url))
      return true;
  }
  return false;
}

void Handle(const ApiDependencies& api, const Request& request, const Responder& answer_to) {
  const auto config = api.dispatch.config();
  const Status genuine =
      respond::VerifySlackSignature(config->slack_signing_secret, request.Header("x-slack-request-timestamp"),
                                    request.Header("x-slack-signature"), request.body, api.clock.Now());
  if (!genuine.ok()) return answer_to(ProblemResponse(genuine));
  const auto click = respond::ParseSlackClick(request.body);
  if (!click) return answer_to(ProblemResponse(click.error()));
  Reply reply;  // links are clicks too: nothing to do
  if (click->action == "approve" || click->action == "deny") reply = Answer(api, *config, *click);
  if (click->action == "kill") reply = Kill(api, *config, *click);
  if (click->action == "acknowledge") reply = Acknowledge(api, *config, *click);
  const json answer = ReplyJson(reply);
  answer_to(JsonResponse(answer));
  if (reply.text.empty() || !IsSlacksOwn(*config, click->response_url)) return;
  // Whether it arrives or not, the click has had its effect.
  (void)respond::PostJson(click->response_url, {},
                          answer.dump(-1, ' ', false, json::error_handler_t::replace),
                          {.connect_timeout_ms = 2'000, .timeout_ms = 3'000});
}

}  // namespace

void AddSlackInteractions(Router& router, const ApiDependencies& api) {
  Route route{"POST", "/api/v1/slack/interactions", nullptr, {}, true};
  route.handler = [&api](Request&& request, const Responder& respond) { Handle(api, request, respond); };
  route.operation.summary = "A click in Slack, signed by Slack: acknowledges, approves, denies, stops";
  route.operation.request_types = {"application/x-www-form-urlencoded"};
  route.operation.answers = {{200, "application/json", "what to show: who acknowledged, or why nobody did"},
                             {400, "application/problem+json", "there is no click in it"},
                             {401, "application/problem+json", "the signature or its time does not hold"}};
  router.Add(std::move(route));
}

}  // namespace tocsin::surface
