#include "respond/config/mail_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "ports/yaml/secret_value.h"

namespace tocsin::respond {
namespace {

using ports::YamlValue;

bool Plain(const std::string& text) {
  return std::ranges::none_of(text, [](char c) { return c <= ' ' || c > '~'; });
}

Status ReadServer(const YamlValue& yaml, ports::SmtpOptions& server) {
  TOCSIN_ASSIGN_OR_RETURN(const auto url, yaml.Need("url"));
  TOCSIN_ASSIGN_OR_RETURN(server.url, url.Text(2048));
  const bool known = server.url.starts_with("smtp://") || server.url.starts_with("smtps://");
  if (!known || server.url.ends_with("//") || !Plain(server.url))
    return url.Wrong("is not an address such as smtp://mail.example.org:587 or smtps://mail.example.org:465");
  if (server.url.find('@') != std::string::npos)
    return url.Wrong("holds a user; write 'user' and 'password' under keys of their own");
  return Status::Ok();
}

Status ReadLogin(const YamlValue& yaml, ports::SmtpOptions& server) {
  if (const auto user = yaml.Find("user")) {
    TOCSIN_ASSIGN_OR_RETURN(server.user, user->Text());
  }
  TOCSIN_ASSIGN_OR_RETURN(auto password, ports::FindSecret(yaml, "password", 4096));
  if (password && server.user.empty()) return password->at.Wrong("needs a 'user'");
  if (!password && !server.user.empty()) return yaml.Wrong("'user' needs a 'password' or a 'password_file'");
  if (password) server.password = std::move(password->text);
  return Status::Ok();
}

Status ReadTls(const YamlValue& yaml, ports::SmtpOptions& server) {
  if (const auto tls = yaml.Find("tls")) {
    TOCSIN_ASSIGN_OR_RETURN(server.starttls, tls->Text());
    if (server.starttls != "required" && server.starttls != "if-offered" && server.starttls != "never")
      return tls->Wrong(
          fmt::format("'{}' is not required, if-offered or never", server.starttls.substr(0, 64)));
  }
  if (const auto file = yaml.Find("ca_file")) {
    TOCSIN_ASSIGN_OR_RETURN(server.ca_file, file->Text(4096));
  }
  return Status::Ok();
}

void CheckKind(const YamlValue& channel) {
  const auto kind = channel.Find("kind");
  const auto name = kind ? kind->Text() : Result<std::string>("");
  if (name && *name == "email")
    channel.Note(channel.Wrong("email needs 'mail' at the root: the server by which it is sent"));
}

void CheckKinds(const YamlValue& list) {
  const auto items = list.Items(kMaxPeople);
  if (!items) return;
  for (const auto& item : *items) CheckKind(item);
}

}  // namespace

void ReadMail(const YamlValue& yaml, std::optional<MailSettings>& out) {
  const Status keys = yaml.Keys({"url", "from", "user", "password", "password_file", "tls", "ca_file"});
  yaml.Note(keys);
  if (!keys.ok()) return;
  MailSettings mail;
  yaml.Note(ReadServer(yaml, mail.server));
  yaml.Note(ReadLogin(yaml, mail.server));
  yaml.Note(ReadTls(yaml, mail.server));
  const auto from = yaml.Need("from");
  const auto address = from ? from->Text() : Result<std::string>(Error(from.error()));
  if (!address)
    yaml.Note(address.error());
  else if (!ports::IsMailAddress(*address))
    yaml.Note(from->Wrong("is not an e-mail address such as tocsin@example.org"));
  else
    mail.from = *address;
  out = std::move(mail);
}

void ReadSlack(const YamlValue& yaml, std::string& signing_secret) {
  const Status keys = yaml.Keys({"signing_secret", "signing_secret_file"});
  yaml.Note(keys);
  if (!keys.ok()) return;
  auto secret = ports::FindSecret(yaml, "signing_secret", 256);
  if (!secret)
    yaml.Note(secret.error());
  else if (*secret)
    signing_secret = std::move((*secret)->text);
}

void CheckMail(const YamlValue& root) {
  if (root.Find("mail")) return;
  if (const auto places = root.Find("destinations")) CheckKinds(*places);
  const auto people = root.Find("people");
  if (!people || !people->IsMapping()) return;
  const auto entries = people->Named(kMaxPeople);
  if (!entries) return;
  for (const auto& [id, person] : *entries) {
    if (const auto channels = person.Find("channels")) CheckKinds(*channels);
  }
}

}  // namespace tocsin::respond
