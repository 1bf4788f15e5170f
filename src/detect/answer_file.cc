#include "detect/answer_file.h"

#include <zstd.h>

#include <cstdio>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace tocsin::detect {
namespace {

struct FileCloser {
  void operator()(std::FILE* f) const { std::fclose(f); }
};

Result<std::string> ReadAll(const std::string& path, size_t max_bytes) {
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen(path.c_str(), "rb"));
  if (file == nullptr) return Error(Code::kNotFound, "cannot open " + path);
  std::string bytes;
  std::string chunk(size_t{1} << 20U, '\0');
  while (true) {
    const size_t n = std::fread(chunk.data(), 1, chunk.size(), file.get());
    if (n == 0) break;
    bytes.append(chunk, 0, n);
    if (bytes.size() > max_bytes) return Error(Code::kOutOfRange, path + " is too large");
  }
  if (std::ferror(file.get()) != 0) return Error(Code::kUnavailable, "cannot read " + path);
  return bytes;
}

bool IsZstd(std::string_view bytes) { return bytes.substr(0, 4) == "\x28\xB5\x2F\xFD"; }

struct StreamFree {
  void operator()(ZSTD_DStream* s) const { ZSTD_freeDStream(s); }
};

Result<std::string> Inflate(std::string_view packed, const std::string& path, size_t max_bytes) {
  const std::unique_ptr<ZSTD_DStream, StreamFree> stream(ZSTD_createDStream());
  std::string out;
  std::string chunk(ZSTD_DStreamOutSize(), '\0');
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  size_t left = 1;
  while (in.pos < in.size || left != 0) {
    ZSTD_outBuffer buffer{chunk.data(), chunk.size(), 0};
    const size_t before = in.pos;
    left = ZSTD_decompressStream(stream.get(), &buffer, &in);
    if (ZSTD_isError(left) != 0U) {
      return Error(Code::kInvalidArgument, path + ": " + ZSTD_getErrorName(left));
    }
    out.append(chunk, 0, buffer.pos);
    if (out.size() > max_bytes) return Error(Code::kOutOfRange, path + " inflates to too much");
    if (buffer.pos == 0 && in.pos == before) break;
  }
  if (left != 0) return Error(Code::kInvalidArgument, path + " is truncated");
  return out;
}

std::string Text(const nlohmann::json& row, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto it = row.find(name);
    if (it == row.end() || it->is_null()) continue;
    return it->is_string() ? it->get<std::string>() : it->dump();
  }
  return {};
}

double Number(const nlohmann::json& row, const char* name, double scale) {
  const auto it = row.find(name);
  if (it == row.end() || !it->is_number()) return std::numeric_limits<double>::quiet_NaN();
  return it->get<double>() * scale;
}

Result<AnswerRow> ParseRow(std::string_view line) {
  const nlohmann::json row = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!row.is_object()) return Error(Code::kInvalidArgument, "not a JSON object");
  const auto prompt = row.find("prompt");
  const auto output = row.find("output");
  if (prompt == row.end() || !prompt->is_string() || output == row.end() || !output->is_string()) {
    return Error(Code::kInvalidArgument, "needs the strings prompt and output");
  }
  AnswerRow out;
  out.segment = Text(row, {"dataset", "task", "segment"});
  out.model = Text(row, {"model"});
  out.prompt = prompt->get<std::string>();
  out.output = output->get<std::string>();
  const std::string id = Text(row, {"prompt_id", "id"});
  out.key = out.segment + '\x1f' + (id.empty() ? out.prompt : id);
  out.latency_ms = Number(row, "latency_s", 1000.0);
  out.cost_usd = Number(row, "cost_usd", 1.0);
  out.output_tokens = Number(row, "output_tokens", 1.0);
  return out;
}

}  // namespace

Result<std::vector<AnswerRow>> ReadAnswerFile(const std::string& path, const AnswerFileOptions& options) {
  TOCSIN_ASSIGN_OR_RETURN(std::string bytes, ReadAll(path, options.max_bytes));
  if (IsZstd(bytes)) {
    TOCSIN_ASSIGN_OR_RETURN(bytes, Inflate(bytes, path, options.max_bytes));
  }
  std::vector<AnswerRow> rows;
  std::unordered_set<std::string> seen;
  size_t number = 0;
  for (size_t at = 0; at < bytes.size();) {
    const size_t end = std::min(bytes.find('\n', at), bytes.size());
    const std::string_view line(bytes.data() + at, end - at);
    at = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Result<AnswerRow> row = ParseRow(line);
    if (!row.has_value()) {
      return Error(row.error().WithContext(path + ":" + std::to_string(number)));
    }
    if (!options.model.empty() && row->model != options.model) continue;
    if (!options.segment.empty() && row->segment != options.segment) continue;
    if (seen.insert(row->key).second) rows.push_back(std::move(*row));
  }
  return rows;
}

}  // namespace tocsin::detect
