#include "runtime/alertmanager_import.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <set>

#include "ports/smtp_client.h"
#include "ports/yaml/yaml_value.h"
#include "runtime/internal/yaml_text.h"

namespace tocsin::runtime {
namespace {

using internal::CommentText;
using internal::CopyShape;
using internal::CopyYaml;
using internal::QuotedYaml;
using ports::YamlValue;

constexpr size_t kMost = 10'000;
constexpr size_t kMostText = 64u << 10;
constexpr std::string_view kPagerdutyUrl = "https://events.pagerduty.com/v2/enqueue";

std::string TextOf(const YamlValue& mapping, std::string_view key) {
  const auto at = mapping.Find(key);
  return at ? at->Text(kMostText).value_or("") : "";
}

std::vector<YamlValue> ItemsOf(const YamlValue& mapping, std::string_view key) {
  const auto at = mapping.Find(key);
  return at ? at->Items(kMost).value_or(std::vector<YamlValue>{}) : std::vector<YamlValue>{};
}

std::string NameFrom(std::string_view text) {
  std::string out(text.substr(0, 40));
  for (char& c : out) {
    if (!ports::IsPlainName(std::string_view(&c, 1))) c = '-';
  }
  return out.empty() ? "receiver" : out;
}

std::string Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(' ') - first + 1));
}

// "Ada <ada@example.org>, bob@example.org"
std::vector<std::string> AddressesIn(std::string_view to) {
  std::vector<std::string> out;
  while (!to.empty()) {
    const size_t comma = to.find(',');
    std::string_view one = to.substr(0, comma);
    const size_t open = one.find('<'), close = one.find('>');
    if (open != std::string_view::npos && close != std::string_view::npos && open < close)
      one = one.substr(open + 1, close - open - 1);
    out.push_back(Trimmed(one));
    to = comma == std::string_view::npos ? std::string_view() : to.substr(comma + 1);
  }
  return out;
}

class Import {
 public:
  explicit Import(const YamlValue& root)
      : root_(root), folder_(std::filesystem::absolute(root.file()).parent_path()) {}

  ImportedSettings Run() {
    static const std::set<std::string, std::less<>> kKnown = {
        "global", "route", "receivers", "inhibit_rules", "time_intervals", "mute_time_intervals"};
    const auto pairs = root_.Pairs(kMost).value_or(std::vector<std::pair<std::string, YamlValue>>{});
    for (const auto& [key, value] : pairs) {
      if (!kKnown.contains(key))
        LeaveOut(key == "templates" ? "templates: Alertmanager's are in another language" : key);
    }
    ReadGlobal();
    ReadReceivers();
    WriteTree();
    return {Header() + yaml_, left_out_};
  }

 private:
  void LeaveOut(std::string_view what) { left_out_.push_back(CommentText(what)); }

  void ReadGlobal() {
    if (const auto global = root_.Find("global")) global_ = *global;
    if (!global_) return;
    static const std::set<std::string, std::less<>> kKnown = {
        "smtp_smarthost",          "smtp_from",        "smtp_auth_username", "smtp_auth_password",
        "smtp_auth_password_file", "smtp_require_tls", "slack_api_url",      "slack_api_url_file",
        "pagerduty_url",           "resolve_timeout"};
    for (const auto& [key, value] :
         global_->Pairs(kMost).value_or(std::vector<std::pair<std::string, YamlValue>>{})) {
      if (!kKnown.contains(key)) LeaveOut("global." + key);
    }
    const std::string timeout = TextOf(*global_, "resolve_timeout");
    if (!timeout.empty() && timeout != "5m") LeaveOut("global.resolve_timeout: it is 5m");
  }

  std::string Global(std::string_view key) const { return global_ ? TextOf(*global_, key) : ""; }

  // `url: "…"` or `url_file: "…"` of one of these keys, the first that is there; empty when none is.
  std::string SecretLine(const YamlValue& config, std::string_view key, std::string_view ours,
                         std::string_view global_key) const {
    for (const auto& [from, name] :
         {std::pair<const YamlValue*, std::string>{&config, std::string(key)},
          std::pair<const YamlValue*, std::string>{global_ ? &*global_ : nullptr, std::string(global_key)}}) {
      if (from == nullptr || name.empty()) continue;
      if (const std::string text = TextOf(*from, name); !text.empty())
        return fmt::format("{}: {}", ours, QuotedYaml(text));
      if (const std::string path = TextOf(*from, name + "_file"); !path.empty())
        return fmt::format("{}_file: {}", ours, QuotedYaml((folder_ / path).lexically_normal().string()));
    }
    return "";
  }

  std::string AddDestination(const std::string& receiver, std::string_view kind, std::string_view fields) {
    const std::string plain = fmt::format("{}-{}", NameFrom(receiver), kind);
    std::string name = plain;
    for (int i = 2; !names_.insert(name).second; ++i) name = fmt::format("{}-{}", plain, i);
    destinations_ += fmt::format("  - {{name: {}, kind: {}, {}}}\n", QuotedYaml(name), kind, fields);
    return name;
  }

  // Keys of one place that have no counterpart.
  void LeaveOutKeys(const YamlValue& config, const std::string& where,
                    std::initializer_list<std::string_view> used) {
    std::vector<std::string> keys;
    for (const auto& [key, value] :
         config.Pairs(kMost).value_or(std::vector<std::pair<std::string, YamlValue>>{})) {
      if (key == "send_resolved" && value.Text().value_or("") == "true") continue;
      if (std::ranges::find(used, std::string_view(key)) == used.end()) keys.push_back(key);
    }
    if (!keys.empty()) LeaveOut(fmt::format("{}: {}", where, fmt::join(keys, ", ")));
  }

  void ReadSlack(const std::string& receiver, const YamlValue& config, const std::string& where,
                 std::vector<std::string>& tell) {
    const std::string url = SecretLine(config, "api_url", "url", "slack_api_url");
    if (url.empty() || url.find("slack.com/api/") != std::string::npos)
      return LeaveOut(where + ": not a Slack webhook (api_url)");
    tell.push_back(AddDestination(receiver, "slack", url));
    LeaveOutKeys(config, where, {"api_url", "api_url_file"});
  }

  void ReadPagerduty(const std::string& receiver, const YamlValue& config, const std::string& where,
                     std::vector<std::string>& tell) {
    std::string fields = SecretLine(config, "routing_key", "key", "");
    if (fields.empty()) return LeaveOut(where + ": no routing_key of PagerDuty's Events API v2");
    std::string url = TextOf(config, "url");
    if (url.empty()) url = Global("pagerduty_url");
    if (!url.empty() && url != kPagerdutyUrl) fields += ", url: " + QuotedYaml(url);
    tell.push_back(AddDestination(receiver, "pagerduty", fields));
    LeaveOutKeys(config, where, {"routing_key", "routing_key_file", "url"});
  }

  void ReadEmail(const std::string& receiver, const YamlValue& config, const std::string& where,
                 std::vector<std::string>& tell) {
    for (const std::string& address : AddressesIn(TextOf(config, "to"))) {
      if (!ports::IsMailAddress(address)) {
        LeaveOut(fmt::format("{}: '{}' is no address", where, address));
        continue;
      }
      if (!SetMail(config)) return LeaveOut(where + ": no smarthost and sender to send by");
      tell.push_back(AddDestination(receiver, "email", "address: " + QuotedYaml(address)));
    }
    std::vector<std::string> differing;
    for (const char* key : {"smarthost", "from", "auth_username"}) {
      const std::string own = TextOf(config, key);
      if (!own.empty() && own != mail_[key]) differing.emplace_back(key);
    }
    if (!differing.empty())
      LeaveOut(fmt::format("{}: {}: mail is sent by one server", where, fmt::join(differing, ", ")));
    LeaveOutKeys(
        config, where,
        {"to", "smarthost", "from", "auth_username", "auth_password", "auth_password_file", "require_tls"});
  }

  // The server by which mail is sent: the global one, or the first that a receiver names.
  bool SetMail(const YamlValue& config) {
    if (!mail_yaml_.empty()) return true;
    const auto either = [&](const char* key) {
      const std::string own = TextOf(config, key);
      const std::string global = Global(std::string("smtp_") + key);
      return global.empty() ? own : global;
    };
    for (const char* key : {"smarthost", "from", "auth_username", "require_tls"}) mail_[key] = either(key);
    const auto from = AddressesIn(mail_["from"]);
    if (mail_["smarthost"].empty() || from.size() != 1 || !ports::IsMailAddress(from[0])) return false;
    const std::string& host = mail_["smarthost"];
    mail_yaml_ = fmt::format("mail:\n  url: {}\n  from: {}\n",
                             QuotedYaml((host.ends_with(":465") ? "smtps://" : "smtp://") + host),
                             QuotedYaml(from[0]));
    // The password is that of whoever the user was taken from.
    const std::string password = Global("smtp_auth_username").empty()
                                     ? SecretLine(config, "auth_password", "password", "")
                                     : SecretLine(*global_, "smtp_auth_password", "password", "");
    if (!mail_["auth_username"].empty() && !password.empty())
      mail_yaml_ += fmt::format("  user: {}\n  {}\n", QuotedYaml(mail_["auth_username"]), password);
    mail_yaml_ += fmt::format("  tls: {}\n", mail_["require_tls"] == "false" ? "if-offered" : "required");
    return true;
  }

  void ReadWebhook(const std::string& receiver, const YamlValue& config, const std::string& where,
                   std::vector<std::string>& tell) {
    const std::string url = SecretLine(config, "url", "url", "");
    if (url.empty()) return LeaveOut(where + ": no url");
    tell.push_back(AddDestination(receiver, "webhook", url));
    LeaveOut(where + ": the body is Tocsin's own now (docs/formats/notifications.md)");
    LeaveOutKeys(config, where, {"url", "url_file"});
  }

  void ReadReceivers() {
    for (const YamlValue& receiver : ItemsOf(root_, "receivers")) {
      const std::string name = TextOf(receiver, "name");
      std::vector<std::string> tell;
      for (const auto& [kind, list] :
           receiver.Pairs(kMost).value_or(std::vector<std::pair<std::string, YamlValue>>{})) {
        if (kind == "name") continue;
        const auto configs = list.Items(kMost).value_or(std::vector<YamlValue>{});
        for (size_t i = 0; i < configs.size(); ++i)
          ReadConfig(name, kind, configs[i], fmt::format("receiver '{}': {}[{}]", name, kind, i), tell);
      }
      receivers_ += fmt::format("  - name: {}\n", QuotedYaml(name));
      if (!tell.empty()) receivers_ += fmt::format("    tell: [{}]\n", Joined(tell));
    }
  }

  void ReadConfig(const std::string& receiver, const std::string& kind, const YamlValue& config,
                  const std::string& where, std::vector<std::string>& tell) {
    if (kind == "slack_configs") return ReadSlack(receiver, config, where, tell);
    if (kind == "pagerduty_configs") return ReadPagerduty(receiver, config, where, tell);
    if (kind == "email_configs") return ReadEmail(receiver, config, where, tell);
    if (kind == "webhook_configs") return ReadWebhook(receiver, config, where, tell);
    LeaveOut(where);
  }

  static std::string Joined(const std::vector<std::string>& names) {
    std::string out;
    for (const std::string& name : names) out += (out.empty() ? "" : ", ") + QuotedYaml(name);
    return out;
  }

  void Copy(std::string_view key, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    yaml_ += fmt::format("\n{}:\n", key);
    for (const std::string& line : lines) yaml_ += "  " + line + "\n";
  }

  void WriteTree() {
    static CopyShape route{
        {"receiver", "matchers", "match", "match_re", "continue", "group_by", "group_wait", "group_interval",
         "repeat_interval", "mute_time_intervals", "active_time_intervals", "routes"},
        {{"routes", &route}}};
    static const CopyShape inhibit{{"name", "source_matchers", "source_match", "source_match_re",
                                    "target_matchers", "target_match", "target_match_re", "equal"},
                                   {}};
    static const CopyShape times{{"start_time", "end_time"}, {}};
    static const CopyShape interval{{"times", "weekdays", "days_of_month", "months", "years", "location"},
                                    {{"times", &times}}};
    static const CopyShape named{{"name", "time_intervals"}, {{"time_intervals", &interval}}};
    const auto left_out = [this](const std::string& path) { LeaveOut(path); };
    if (!mail_yaml_.empty()) yaml_ += "\n" + mail_yaml_;
    if (!destinations_.empty()) yaml_ += "\ndestinations:\n" + destinations_;
    if (!receivers_.empty())
      yaml_ +=
          "\n# A receiver pages people once it has a policy: add `policy: NAME`.\nreceivers:\n" + receivers_;
    if (const auto at = root_.Find("route")) Copy("route", CopyYaml(*at, &route, left_out));
    if (const auto at = root_.Find("inhibit_rules")) Copy("inhibit_rules", CopyYaml(*at, &inhibit, left_out));
    std::vector<std::string> intervals;
    for (const char* key : {"time_intervals", "mute_time_intervals"}) {
      const auto at = root_.Find(key);
      if (!at) continue;
      for (std::string& line : CopyYaml(*at, &named, left_out)) intervals.push_back(std::move(line));
    }
    Copy("time_intervals", intervals);
  }

  std::string Header() const {
    std::string out = "# Carried over from Alertmanager's " +
                      CommentText(std::filesystem::path(root_.file()).filename().string()) +
                      ". Whom to wake is yours to add: people, schedules, policies.\n";
    for (const std::string& one : left_out_) out += "# Not carried over: " + one + "\n";
    return out;
  }

  const YamlValue& root_;
  const std::filesystem::path folder_;
  std::optional<YamlValue> global_;
  std::vector<std::string> left_out_;
  std::set<std::string> names_;
  std::map<std::string, std::string> mail_;
  std::string mail_yaml_, destinations_, receivers_, yaml_;
};

}  // namespace

Result<ImportedSettings> ImportAlertmanager(std::string_view text, const std::string& file_name) {
  TOCSIN_ASSIGN_OR_RETURN(const YamlValue root, YamlValue::Parse(text, file_name));
  if (!root.IsMapping() || !root.Find("route"))
    return Error(root.Wrong("has no 'route': not a configuration of Alertmanager"));
  ImportedSettings out;
  ports::ReadGuarded(root, [&] { out = Import(root).Run(); });
  TOCSIN_RETURN_IF_ERROR(root.FirstProblem());
  return out;
}

}  // namespace tocsin::runtime
