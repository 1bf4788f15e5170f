#include "scenario_file.h"

#include <cctype>
#include <fstream>

namespace tocsin::scenarios {
namespace {

bool Blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// key="a b", key=a, key~"a", word. Inside quotes \" is a quote; other backslashes stay for the template.
Result<Statement> Parse(const std::string& text, const std::string& file, int line) {
  Statement s;
  s.file = file;
  s.line = line;
  size_t i = 0;
  const auto bad = [&](const std::string& what) {
    return Error(Code::kInvalidArgument, file + ":" + std::to_string(line) + ": " + what);
  };
  while (i < text.size()) {
    while (i < text.size() && Blank(text[i])) ++i;
    if (i >= text.size()) break;
    std::string token;
    bool quoted = false;
    size_t op = std::string::npos;
    while (i < text.size() && (quoted || !Blank(text[i]))) {
      if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '"') {
        token += '"';
        i += 2;
        continue;
      }
      if (text[i] == '"') {
        quoted = !quoted;
        ++i;
        continue;
      }
      if (!quoted && op == std::string::npos && !s.verb.empty() && (text[i] == '=' || text[i] == '~')) {
        op = token.size();
      }
      token += text[i++];
    }
    if (quoted) return bad("a quote is not closed");
    if (s.verb.empty()) {
      s.verb = token;
    } else if (op != std::string::npos && op > 0) {
      s.pairs.push_back({token.substr(0, op), token.substr(op + 1), token[op]});
    } else {
      s.words.push_back(token);
    }
  }
  return s;
}

}  // namespace

const Statement::Pair* Statement::Find(const std::string& key) const {
  for (const auto& p : pairs) {
    if (p.key == key) return &p;
  }
  return nullptr;
}

Result<std::vector<Statement>> ReadScenario(const std::filesystem::path& path, int depth) {
  if (depth > 4) return Error(Code::kInvalidArgument, path.string() + ": included too deep");
  std::ifstream in(path);
  if (!in) return Error(Code::kNotFound, "cannot read " + path.string());
  std::vector<Statement> out;
  std::string text, part;
  int line = 0;
  int first = 0;
  while (std::getline(in, part)) {
    ++line;
    if (text.empty()) first = line;
    const size_t begin = part.find_first_not_of(" \t\r");
    if (begin == std::string::npos || part[begin] == '#') continue;
    part = part.substr(begin);
    if (part.ends_with("\\") && !part.ends_with("\\\\")) {
      text += part.substr(0, part.size() - 1);
      continue;
    }
    text += part;
    TOCSIN_ASSIGN_OR_RETURN(Statement s, Parse(text, path.filename().string(), first));
    text.clear();
    if (s.verb == "include" && s.words.size() == 1) {
      TOCSIN_ASSIGN_OR_RETURN(auto included, ReadScenario(path.parent_path() / s.words[0], depth + 1));
      out.insert(out.end(), included.begin(), included.end());
    } else {
      out.push_back(std::move(s));
    }
  }
  return out;
}

}  // namespace tocsin::scenarios
