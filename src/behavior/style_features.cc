#include "behavior/style_features.h"

namespace tocsin::behavior {
namespace {

constexpr std::array<std::string_view, kStyleCount> kNames = {
#define TOCSIN_X(id, name, up, down) name,
    TOCSIN_STYLE_FEATURES(TOCSIN_X)
#undef TOCSIN_X
};
constexpr std::array<std::string_view, kStyleCount> kUp = {
#define TOCSIN_X(id, name, up, down) up,
    TOCSIN_STYLE_FEATURES(TOCSIN_X)
#undef TOCSIN_X
};
constexpr std::array<std::string_view, kStyleCount> kDown = {
#define TOCSIN_X(id, name, up, down) down,
    TOCSIN_STYLE_FEATURES(TOCSIN_X)
#undef TOCSIN_X
};

}  // namespace

std::string_view StyleName(Style feature) { return kNames[static_cast<size_t>(feature)]; }
std::string_view StyleWordsUp(Style feature) { return kUp[static_cast<size_t>(feature)]; }
std::string_view StyleWordsDown(Style feature) { return kDown[static_cast<size_t>(feature)]; }

}  // namespace tocsin::behavior
