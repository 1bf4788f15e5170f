#include <fmt/format.h>
#include <zstd.h>

#include <array>
#include <fstream>
#include <functional>
#include <memory>

#include "surface/replay/recorded_answer.h"

namespace tocsin::surface {
namespace {

constexpr size_t kMaxLine = 8u << 20;
constexpr size_t kMaxRows = 2'000'000;
constexpr size_t kMaxText = size_t{4} << 30;

// Collects lines from pieces of text and parses each.
class Lines {
 public:
  explicit Lines(const std::string& path) : path_(path) {}

  Status Add(std::string_view piece) {
    total_ += piece.size();
    if (total_ > kMaxText) return At(Code::kOutOfRange, "the file holds more than 4 GiB of text");
    while (!piece.empty()) {
      const size_t end = piece.find('\n');
      pending_.append(piece.substr(0, end));
      if (pending_.size() > kMaxLine) return At(Code::kOutOfRange, "the line is longer than 8 MiB");
      if (end == std::string_view::npos) break;
      TOCSIN_RETURN_IF_ERROR(EndLine());
      piece.remove_prefix(end + 1);
    }
    return Status::Ok();
  }
  Status EndLine() {
    ++line_;
    const bool blank = pending_.find_first_not_of(" \t\r") == std::string::npos;
    if (!blank) {
      auto answer = ParseRecordedAnswer(pending_);
      if (!answer)
        return Status(answer.error().code(),
                      fmt::format("{}:{}: {}", path_, line_, answer.error().message()));
      answer->file = path_;
      answer->line = line_;
      rows_.push_back(std::move(*answer));
      if (rows_.size() > kMaxRows) return At(Code::kOutOfRange, "the file holds more than 2 million rows");
    }
    pending_.clear();
    return Status::Ok();
  }
  Status At(Code code, std::string_view what) const {
    return Status(code, fmt::format("{}:{}: {}", path_, line_ + 1, what));
  }
  std::vector<RecordedAnswer> Take() { return std::move(rows_); }

 private:
  const std::string& path_;
  std::string pending_;
  uint64_t line_ = 0;
  size_t total_ = 0;
  std::vector<RecordedAnswer> rows_;
};

Status ReadZstd(std::istream& in, Lines& lines) {
  const std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(),
                                                                        ZSTD_freeDStream);
  ZSTD_DCtx_setParameter(stream.get(), ZSTD_d_windowLogMax, 27);
  std::string packed(ZSTD_DStreamInSize(), '\0');
  std::string unpacked(ZSTD_DStreamOutSize(), '\0');
  size_t hint = 0;
  while (in.read(packed.data(), static_cast<std::streamsize>(packed.size())), in.gcount() > 0) {
    ZSTD_inBuffer input{packed.data(), static_cast<size_t>(in.gcount()), 0};
    while (input.pos < input.size) {
      ZSTD_outBuffer output{unpacked.data(), unpacked.size(), 0};
      hint = ZSTD_decompressStream(stream.get(), &output, &input);
      if (ZSTD_isError(hint) != 0) {
        return lines.At(Code::kInvalidArgument,
                        fmt::format("not valid zstd data ({})", ZSTD_getErrorName(hint)));
      }
      TOCSIN_RETURN_IF_ERROR(lines.Add(std::string_view(unpacked.data(), output.pos)));
    }
  }
  if (hint != 0) return lines.At(Code::kInvalidArgument, "the zstd data ends in the middle");
  return Status::Ok();
}

Status ReadPlain(std::istream& in, Lines& lines) {
  std::string piece(256u << 10, '\0');
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())), in.gcount() > 0) {
    TOCSIN_RETURN_IF_ERROR(lines.Add(std::string_view(piece.data(), static_cast<size_t>(in.gcount()))));
  }
  return Status::Ok();
}

}  // namespace

Result<std::vector<RecordedAnswer>> ReadRecordedAnswers(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error(Code::kNotFound, fmt::format("cannot open {}", path));
  Lines lines(path);
  TOCSIN_RETURN_IF_ERROR(path.ends_with(".zst") ? ReadZstd(in, lines) : ReadPlain(in, lines));
  if (in.bad()) return Error(Code::kUnavailable, fmt::format("cannot read {}", path));
  TOCSIN_RETURN_IF_ERROR(lines.EndLine());
  return lines.Take();
}

}  // namespace tocsin::surface
