#include "act/plan/placeholder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tocsin::act {
namespace {

using nlohmann::json;
constexpr int kMostLevels = 32;
constexpr size_t kMostTextBytes = 64u << 10;
constexpr size_t kMostNameBytes = 300;

// A stretch of a text: as it stands, or the source of a placeholder.
struct Piece {
  std::string text;
  bool placeholder = false;
};

tl::unexpected<Status> Wrong(const std::string& at, std::string_view what) {
  return Error(Code::kInvalidArgument, at.empty() ? std::string(what) : fmt::format("{}: {}", at, what));
}

std::string_view Trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kMostNameBytes && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '/';
  });
}

Result<std::vector<Piece>> Split(std::string_view text, const std::string& at) {
  std::vector<Piece> pieces;
  while (!text.empty()) {
    const size_t open = text.find("{{");
    if (open != 0) pieces.push_back({std::string(text.substr(0, open)), false});
    if (open == std::string_view::npos) break;
    text.remove_prefix(open + 2);
    const size_t close = text.find("}}");
    if (close == std::string_view::npos)
      return Wrong(at, "a '{{' is not closed by '}}'; two braces always begin a placeholder");
    const std::string_view source = Trimmed(text.substr(0, close));
    if (auto parts = PartsOfSource(source); !parts) return Error(parts.error().WithContext(at));
    pieces.push_back({std::string(source), true});
    text.remove_prefix(close + 2);
  }
  return pieces;
}

// Goes through every text of a template; `each` says what it becomes.
using Each = std::function<Result<json>(const std::vector<Piece>& pieces, const std::string& at)>;
Result<json> Walk(const json& in, const std::string& at, int level, const Each& each) {
  if (level > kMostLevels) return Wrong(at, fmt::format("is nested more than {} levels", kMostLevels));
  if (in.is_string()) {
    TOCSIN_ASSIGN_OR_RETURN(const auto pieces, Split(in.get_ref<const std::string&>(), at));
    const bool any = std::ranges::any_of(pieces, [](const Piece& piece) { return piece.placeholder; });
    return any ? each(pieces, at) : in;
  }
  if (in.is_array()) {
    json out = json::array();
    for (size_t i = 0; i < in.size(); ++i) {
      TOCSIN_ASSIGN_OR_RETURN(json one, Walk(in[i], fmt::format("{}[{}]", at, i), level + 1, each));
      out.push_back(std::move(one));
    }
    return out;
  }
  if (!in.is_object()) return in;
  json out = json::object();
  for (const auto& [key, value] : in.items()) {
    const std::string place = at.empty() ? key : at + "." + key;
    if (key.find("{{") != std::string::npos) return Wrong(place, "a key cannot hold a placeholder");
    TOCSIN_ASSIGN_OR_RETURN(out[key], Walk(value, place, level + 1, each));
  }
  return out;
}

bool FitsInText(const json& value) { return value.is_string() || value.is_number() || value.is_boolean(); }

Status NotInText(const std::string& at, std::string_view source) {
  return Status(
      Code::kInvalidArgument,
      fmt::format("{}: {} is a list, an object or nothing, which cannot be part of a text", at, source));
}

}  // namespace

Result<SourceParts> PartsOfSource(std::string_view source) {
  const auto unknown = [&] {
    return Error(Code::kInvalidArgument,
                 fmt::format("'{}' is none of inputs.NAME, steps.ID.outputs.NAME, undo.NAME, "
                             "incident.FIELD, run.id",
                             source.substr(0, 64)));
  };
  const size_t dot = source.find('.');
  if (dot == std::string_view::npos) return unknown();
  SourceParts out{std::string(source.substr(0, dot)), std::string(source.substr(dot + 1)), ""};
  constexpr std::array<std::string_view, 4> kPlain = {"inputs", "undo", "incident", "with"};
  if (out.root == "steps") {
    const std::string_view rest = source.substr(dot + 1);
    constexpr std::string_view kOutputs = ".outputs.";
    const size_t at = rest.find(kOutputs);
    if (at == std::string_view::npos) return unknown();
    out.step = rest.substr(0, at);
    out.name = rest.substr(at + kOutputs.size());
    if (!IsName(out.step)) return unknown();
  } else if (out.root == "run") {
    if (out.name != "id") return unknown();
  } else if (std::ranges::find(kPlain, out.root) == kPlain.end()) {
    return unknown();
  }
  if (!IsName(out.name)) return unknown();
  return out;
}

Result<Resolved> ResolvePlaceholders(const json& in, const Lookup& lookup, const std::string& at) {
  Resolved out;
  auto resolved = Walk(in, at, 0, [&](const auto& pieces, const std::string& place) -> Result<json> {
    Parameter parameter{place, {}};
    json whole;
    std::string text;
    for (const Piece& piece : pieces) {
      if (piece.placeholder) {
        TOCSIN_ASSIGN_OR_RETURN(Value value, lookup(piece.text));
        if (pieces.size() > 1 && !FitsInText(value.json)) return Error(NotInText(place, piece.text));
        if (pieces.size() == 1)
          whole = value.json;
        else
          text += TextOf(value.json);
        parameter.parts.push_back({piece.text, std::move(value.json), value.origin, std::move(value.type)});
      } else {
        text += piece.text;
      }
      if (text.size() > kMostTextBytes)
        return Wrong(place, fmt::format("becomes longer than {} bytes", kMostTextBytes));
    }
    out.parameters.push_back(std::move(parameter));
    return pieces.size() == 1 ? whole : json(text);
  });
  if (!resolved) return Error(resolved.error());
  out.json = *std::move(resolved);
  return out;
}

Result<std::vector<std::string>> PlaceholdersIn(const json& in) {
  std::vector<std::string> out;
  const auto walked = Walk(in, "", 0, [&](const auto& pieces, const std::string&) -> Result<json> {
    for (const Piece& piece : pieces) {
      if (piece.placeholder) out.push_back(piece.text);
    }
    return json();
  });
  if (!walked) return Error(walked.error());
  return out;
}

Result<json> SubstitutePlaceholders(const json& in, const Substitute& substitute, const std::string& at) {
  return Walk(in, at, 0, [&](const auto& pieces, const std::string& place) -> Result<json> {
    std::string text;
    for (const Piece& piece : pieces) {
      if (!piece.placeholder) {
        text += piece.text;
        continue;
      }
      TOCSIN_ASSIGN_OR_RETURN(json put, substitute(piece.text));
      if (pieces.size() == 1) return put;
      if (!FitsInText(put)) return Error(NotInText(place, piece.text));
      text += TextOf(put);
      if (text.size() > kMostTextBytes)
        return Wrong(place, fmt::format("becomes longer than {} bytes", kMostTextBytes));
    }
    return text;
  });
}

std::string PlaceholderOf(std::string_view source) { return fmt::format("{{{{ {} }}}}", source); }

std::string SourceWithin(std::string_view step, std::string_view source) {
  for (const std::string_view root : {"inputs.", "steps."}) {
    if (source.starts_with(root)) return fmt::format("{}{}/{}", root, step, source.substr(root.size()));
  }
  return std::string(source);
}

std::string SoleSource(const json& text) {
  if (!text.is_string()) return "";
  const auto pieces = Split(text.get_ref<const std::string&>(), "");
  return pieces && pieces->size() == 1 && pieces->front().placeholder ? pieces->front().text : "";
}

}  // namespace tocsin::act
