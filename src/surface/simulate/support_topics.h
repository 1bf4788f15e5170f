// What the simulated shop is asked, and what its pages say. Text only; {slots} are filled by support_chat.
// Every number and address a detail names is in one of the topic's articles, so that a sound answer is
// grounded. Static tables; thread-safe.
#pragma once

#include <span>
#include <string_view>

namespace tocsin::surface {

struct Article {
  std::string_view id;
  std::string_view text;
};

struct Topic {
  std::string_view name;
  double share;             // of ordinary traffic
  double shifted;           // of traffic whose mix has changed
  bool looks_up;            // the assistant looks the order up before it answers
  std::string_view action;  // tool that does what the customer asks ("" = none)
  std::span<const std::string_view> questions;
  std::span<const std::string_view> facts;    // the answer itself
  std::span<const std::string_view> steps;    // what the customer does next
  std::span<const std::string_view> details;  // what else the articles say
  std::span<const std::string_view> done;     // said only after the action ran
  std::span<const Article> articles;
};

// Shares sum to one.
std::span<const Topic> SupportTopics();

}  // namespace tocsin::surface
