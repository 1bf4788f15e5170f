// The published JSON Schema, from the lists that reading uses.
#include <type_traits>

#include "claims/claim_fields.h"
#include "claims/claim_json.h"

namespace tocsin::claims {
namespace {

using nlohmann::ordered_json;

template <class Record>
ordered_json ShapeSchema(bool kind);

template <class T>
struct SchemaOf;
template <>
struct SchemaOf<std::string> {
  static ordered_json Make() { return {{"type", "string"}, {"maxLength", kMaxClaimText}}; }
};
template <>
struct SchemaOf<bool> {
  static ordered_json Make() { return {{"type", "boolean"}}; }
};
template <>
struct SchemaOf<double> {
  static ordered_json Make() { return {{"type", "number"}}; }
};
template <>
struct SchemaOf<Time> {
  static ordered_json Make() { return {{"type", "string"}, {"format", "date-time"}}; }
};
template <>
struct SchemaOf<Duration> {
  static ordered_json Make() { return {{"type", "string"}, {"description", "as 90s, 15m, 2h"}}; }
};
template <>
struct SchemaOf<Window> {
  static ordered_json Make() { return {{"$ref", "#/$defs/window"}}; }
};
template <>
struct SchemaOf<Bounds> {
  static ordered_json Make() { return {{"$ref", "#/$defs/bounds"}}; }
};
template <>
struct SchemaOf<Condition> {
  static ordered_json Make() { return {{"$ref", "#/$defs/condition"}}; }
};
template <>
struct SchemaOf<Measure> {
  static ordered_json Make() { return {{"$ref", "#/$defs/measure"}}; }
};
template <class T>
struct SchemaOf<std::vector<T>> {
  static ordered_json Make() {
    return {{"type", "array"}, {"items", SchemaOf<T>::Make()}, {"maxItems", kMaxConditions}};
  }
};
template <class T>
struct SchemaOf<std::optional<T>> : SchemaOf<T> {};

template <class Record>
ordered_json ShapeSchema(bool kind) {
  ordered_json properties = ordered_json::object(), required = ordered_json::array();
  if (kind) {
    properties["kind"] = {{"const", Shape<Record>::kKind}};
    required.push_back("kind");
  }
  std::apply(
      [&](const auto&... f) {
        const auto one = [&](const auto& field) {
          using Member = std::decay_t<decltype(std::declval<Record>().*(field.member))>;
          ordered_json schema = SchemaOf<Member>::Make();
          if (const auto words = WordsOf(field.name); !words.empty() && std::is_same_v<Member, std::string>)
            schema = {{"enum", words}};
          if (field.about[0] != '\0') schema["description"] = field.about;
          properties[field.name] = std::move(schema);
          if (field.required) required.push_back(field.name);
        };
        (one(f), ...);
      },
      Shape<Record>::kFields);
  return {{"type", "object"},
          {"description", Shape<Record>::kAbout},
          {"properties", std::move(properties)},
          {"required", std::move(required)},
          {"additionalProperties", false}};
}

ordered_json Definitions() {
  const ordered_json time = {{"type", "string"}, {"format", "date-time"}};
  const ordered_json text = {{"type", "string"}, {"maxLength", kMaxClaimText}};
  const ordered_json number = {{"type", "number"}};
  ordered_json condition = {
      {"type", "object"},
      {"properties", {{"field", text}, {"is", text}, {"is_not", text}, {"contains", text}}},
      {"required", {"field"}},
      {"minProperties", 2},
      {"maxProperties", 2},
      {"additionalProperties", false}};
  ordered_json kinds = ordered_json::array();
  ordered_json out = {{"window",
                       {{"type", "object"},
                        {"properties", {{"from", time}, {"to", time}}},
                        {"required", {"from", "to"}},
                        {"additionalProperties", false}}},
                      {"bounds",
                       {{"type", "object"},
                        {"properties", {{"at_least", number}, {"at_most", number}}},
                        {"minProperties", 1},
                        {"additionalProperties", false}}},
                      {"condition", std::move(condition)},
                      {"measure", ShapeSchema<Measure>(false)}};
  VisitKinds([&](auto tag) {
    using Record = typename decltype(tag)::type;
    out[Shape<Record>::kKind] = ShapeSchema<Record>(true);
    kinds.push_back({{"$ref", std::string("#/$defs/") + Shape<Record>::kKind}});
  });
  out["claim"] = {{"oneOf", std::move(kinds)}};
  return out;
}

}  // namespace

ordered_json OneClaimSchema() {
  return {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
          {"$ref", "#/$defs/claim"},
          {"$defs", Definitions()}};
}

ordered_json ClaimSchema() {
  const ordered_json one = {{"$ref", "#/$defs/claim"}};
  const ordered_json list = {{"type", "array"}, {"items", one}, {"maxItems", kMaxClaims}};
  return {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
          {"title", "Claims"},
          {"oneOf",
           {one,
            list,
            {{"type", "object"},
             {"properties", {{"claims", list}}},
             {"required", {"claims"}},
             {"additionalProperties", false}}}},
          {"$defs", Definitions()}};
}

}  // namespace tocsin::claims
