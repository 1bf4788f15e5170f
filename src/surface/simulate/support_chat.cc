#include "surface/simulate/support_chat.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <span>
#include <string_view>
#include <utility>

namespace tocsin::surface {
namespace {

using Text = std::string_view;

constexpr Text kProducts[] = {"headphones",  "coffee grinder", "desk lamp", "backpack",    "e-reader",
                              "rain jacket", "keyboard",       "tent",      "bread maker", "bicycle light"};
constexpr Text kMonths[] = {"January", "February", "March", "April", "May", "June"};
constexpr Text kNames[] = {"mara",  "jonas", "li.wei", "amina", "pavel",
                           "sofia", "tom.b", "ines",   "kofi",  "noor"};
constexpr Text kGreetings[] = {"Hello!", "Hi there,", "Thank you for writing to us.", "Good day!",
                               "Thanks for getting in touch."};
constexpr Text kEagerGreetings[] = {"Great question!", "Certainly! I'd be happy to help you with that.",
                                    "Absolutely, let me help you with that!", "Of course!"};
constexpr Text kApologies[] = {"I am sorry about the trouble.", "Sorry for the wait.",
                               "I apologise for the inconvenience.", "I understand this is annoying."};
constexpr Text kHedges[] = {"As far as I can see, this should be settled soon.",
                            "It may take a little longer at times.", "This usually works at once.",
                            "It seems that everything else is in order."};
constexpr Text kClosings[] = {"Let me know if anything is unclear.", "Have a good day!",
                              "Just reply here if you need more help.", "Is there anything else I can do?"};
constexpr std::array<std::pair<Text, Text>, 12> kFormalTwins = {{
    {" help ", " assist "},
    {" buy ", " purchase "},
    {" ask ", " inquire "},
    {" send ", " provide "},
    {" get ", " obtain "},
    {" check ", " verify "},
    {" choose ", " select "},
    {" tell ", " inform "},
    {" need ", " require "},
    {" wait ", " kindly wait "},
    {" about ", " regarding "},
    {" soon", " shortly"},
}};

// The facts of one customer's case: what fills the slots.
struct Case {
  std::string order, amount, date, tracking, product, email;
};

template <class List>
Text Pick(const List& list, Rng& rng) {
  return list[rng.Below(std::size(list))];
}

Case DrawCase(Rng& rng) {
  Case facts;
  facts.order = fmt::format("NW-{}", 100'000 + rng.Below(900'000));
  facts.amount = fmt::format("{}.{:02} EUR", 9 + rng.Below(390), rng.Below(20) * 5);
  facts.date = fmt::format("{} {} 2026", 1 + rng.Below(28), Pick(kMonths, rng));
  facts.tracking = fmt::format("JD{:012}", rng.Below(1'000'000'000'000));
  facts.product = Pick(kProducts, rng);
  facts.email = fmt::format("{}{}@example.net", Pick(kNames, rng), 10 + rng.Below(90));
  return facts;
}

std::string Fill(Text pattern, const Case& facts) {
  const std::array<std::pair<Text, const std::string*>, 6> slots = {{{"{order}", &facts.order},
                                                                     {"{amount}", &facts.amount},
                                                                     {"{date}", &facts.date},
                                                                     {"{tracking}", &facts.tracking},
                                                                     {"{product}", &facts.product},
                                                                     {"{email}", &facts.email}}};
  std::string out(pattern);
  for (const auto& [slot, value] : slots) {
    for (size_t at = out.find(slot); at != std::string::npos; at = out.find(slot, at + value->size()))
      out.replace(at, slot.size(), *value);
  }
  return out;
}

// `count` different entries, in random order.
std::vector<Text> Choose(std::span<const Text> list, size_t count, Rng& rng) {
  std::vector<Text> chosen(list.begin(), list.end());
  rng.Shuffle(chosen);
  chosen.resize(std::min(count, chosen.size()));
  return chosen;
}

std::string Capitalised(Text text) {
  std::string out(text);
  if (!out.empty()) out[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(out[0])));
  return out;
}

std::string StepsText(const std::vector<Text>& steps, bool as_list) {
  std::string out;
  if (as_list) {
    out = "\n\nHere is what to do:\n";
    for (size_t i = 0; i < steps.size(); ++i) out += fmt::format("{}. {}.\n", i + 1, Capitalised(steps[i]));
    return out + "\n";
  }
  out = " Please ";
  for (size_t i = 0; i < steps.size(); ++i) {
    if (i > 0) out += i + 1 == steps.size() ? " and " : ", ";
    out += steps[i];
  }
  return out + ".";
}

void Formalise(std::string& text, double share, Rng& rng) {
  for (const auto& [plain, formal] : kFormalTwins) {
    const size_t at = text.find(plain);
    if (at != std::string::npos && rng.Uniform() < share) text.replace(at, plain.size(), formal);
  }
}

std::string Answer(const Topic& topic, const Voice& voice, const Case& facts, bool says_done, Rng& rng) {
  std::string out;
  const auto add = [&out](Text sentence) {
    if (!out.empty() && out.back() != '\n') out += ' ';
    out += sentence;
  };
  if (rng.Uniform() < voice.greeting) {
    const bool eager = rng.Uniform() < voice.formal * 1.5;
    add(eager ? Pick(kEagerGreetings, rng) : Pick(kGreetings, rng));
  }
  if (rng.Uniform() < voice.apology) add(Pick(kApologies, rng));
  add(Fill(Pick(topic.facts, rng), facts));
  if (says_done) add(Fill(Pick(topic.done, rng), facts));
  const auto details = Choose(topic.details, rng.Below(voice.max_details + 1), rng);
  if (!details.empty()) add(details[0]);
  if (rng.Uniform() < voice.hedge) add(Pick(kHedges, rng));
  const size_t steps = rng.Below(voice.max_steps + 1);
  if (steps > 0) out += StepsText(Choose(topic.steps, steps, rng), rng.Uniform() < voice.list);
  for (size_t i = 1; i < details.size(); ++i) add(details[i]);
  if (rng.Uniform() < voice.closing) add(Pick(kClosings, rng));
  while (!out.empty() && out.back() == '\n') out.pop_back();
  Formalise(out, voice.formal, rng);
  return out;
}

bool Names(const std::string& answer, const Case& facts) {
  const auto has = [&answer](const std::string& value) { return answer.find(value) != std::string::npos; };
  return has(facts.order) || has(facts.amount) || has(facts.date) || has(facts.tracking);
}

std::string ToolId(Rng& rng) { return fmt::format("call_{:08x}", rng.Next() >> 32); }

void LookUp(const Topic& topic, const Case& facts, Exchange& exchange, Rng& rng) {
  for (const Article& article : topic.articles) {
    exchange.documents.push_back(
        {std::string(article.id), std::string(article.text), 0.7 + 0.25 * rng.Uniform()});
  }
  const Topic& other = SupportTopics()[rng.Below(SupportTopics().size())];
  if (other.name != topic.name) {
    exchange.documents.push_back(
        {std::string(other.articles[0].id), std::string(other.articles[0].text), 0.35 + 0.2 * rng.Uniform()});
  }
  if (!topic.looks_up) return;
  signal::ToolCall call;
  call.id = ToolId(rng);
  call.name = "lookup_order";
  call.arguments = fmt::format(R"({{"order":"{}"}})", facts.order);
  call.result = fmt::format(R"({{"order":"{}","item":"{}","total":"{}","date":"{}","tracking":"{}"}})",
                            facts.order, facts.product, facts.amount, facts.date, facts.tracking);
  call.executed = true;
  exchange.tool_calls.push_back(std::move(call));
}

// True when the assistant runs the tool the customer asked for.
bool Act(const Topic& topic, const Case& facts, Exchange& exchange, Rng& rng) {
  if (topic.action.empty() || rng.Uniform() >= 0.3) return false;
  signal::ToolCall call;
  call.id = ToolId(rng);
  call.name = topic.action;
  call.arguments = fmt::format(R"({{"order":"{}"}})", facts.order);
  call.result = R"({"status":"ok"})";
  call.executed = true;
  exchange.tool_calls.push_back(std::move(call));
  return true;
}

}  // namespace

Voice UsualVoice() { return {}; }

Voice SwappedVoice() {
  Voice voice;
  voice.greeting = 0.75;
  voice.apology = 0.3;
  voice.list = 0.5;
  voice.hedge = 0.3;
  voice.closing = 0.7;
  voice.formal = 0.4;
  voice.max_details = 3;
  voice.max_steps = 4;
  return voice;
}

Voice BriefVoice() {
  Voice voice;
  voice.greeting = 0.1;
  voice.apology = 0.1;
  voice.hedge = 0.05;
  voice.closing = 0.1;
  voice.max_details = 1;
  voice.max_steps = 2;
  return voice;
}

Exchange MakeExchange(const Topic& topic, const Voice& voice, Rng& rng) {
  Exchange exchange;
  exchange.topic = topic.name;
  const Case facts = DrawCase(rng);
  exchange.question = Fill(Pick(topic.questions, rng), facts);
  LookUp(topic, facts, exchange, rng);
  const bool acted = Act(topic, facts, exchange, rng);
  const bool pretended = !acted && !topic.done.empty() && rng.Uniform() < voice.pretends;
  const bool invented = rng.Uniform() < voice.invents;
  Case told = facts;
  if (invented) {
    told = DrawCase(rng);
    told.product = facts.product;
  }
  exchange.answer = Answer(topic, voice, told, acted || pretended, rng);
  exchange.sound = !pretended && !(invented && Names(exchange.answer, told));
  return exchange;
}

}  // namespace tocsin::surface
