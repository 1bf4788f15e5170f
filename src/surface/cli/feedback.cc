#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "surface/cli/commands.h"
#include "surface/cli/server_client.h"

namespace tocsin::surface {

void AddFeedbackCommand(CLI::App& app, CommandContext& context) {
  struct Options {
    std::string url = kDefaultUrl;
    std::string id, trace, span, response, conversation, service, thumbs, label, comment, user;
    double score = 0;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("feedback", "Say how good an answer was");
  command->add_option("--id", options->id, "Your id, so that sending twice counts once");
  command->add_option("--trace", options->trace, "Trace of the answer (32 hex digits)");
  command->add_option("--span", options->span, "Span of the answer (16 hex digits)");
  command->add_option("--response", options->response, "The provider's response id");
  command->add_option("--conversation", options->conversation, "Conversation id");
  command->add_option("--service", options->service, "Service");
  CLI::Option* score = command->add_option("--score", options->score, "From -1 (bad) to 1 (good)");
  command->add_option("--thumbs", options->thumbs, "up or down, instead of a score")
      ->check(CLI::IsMember({"up", "down"}));
  command->add_option("--label", options->label, "What kind of feedback it is");
  command->add_option("--comment", options->comment, "What the person wrote");
  command->add_option("--user", options->user, "Who");
  command->add_option("--url", options->url, "The server")->capture_default_str();
  command->callback([options, score, &context] {
    nlohmann::ordered_json body;
    const auto text = [&](const char* name, const std::string& value) {
      if (!value.empty()) body[name] = value;
    };
    text("id", options->id);
    text("trace_id", options->trace);
    text("span_id", options->span);
    text("response_id", options->response);
    text("conversation_id", options->conversation);
    text("service", options->service);
    text("thumbs", options->thumbs);
    text("label", options->label);
    text("comment", options->comment);
    text("user_id", options->user);
    if (score->count() > 0) body["score"] = options->score;
    const auto answer = TellServer(options->url, "/api/v1/feedback",
                                   body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    if (!answer) return context.Fail(answer.error());
    context.out << "stored\n";
  });
}

}  // namespace tocsin::surface
