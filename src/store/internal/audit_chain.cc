#include "store/internal/audit_chain.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "kernel/id.h"

namespace tocsin::store::internal {
namespace {

constexpr std::string_view kDomain = "tocsin-event-v1\n";
constexpr size_t kHexDigits = 64;

void PutU64(std::string& out, uint64_t v) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(v >> shift & 0xff);
}
void PutText(std::string& out, const std::string& s) {
  PutU64(out, s.size());
  out += s;
}

}  // namespace

struct AuditHasher::Impl {
  EVP_MD* md = EVP_MD_fetch(nullptr, "SHA256", nullptr);  // once: fetching costs more than hashing
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  std::string bytes;
};

AuditHasher::AuditHasher() : impl_(std::make_unique<Impl>()) {}
AuditHasher::~AuditHasher() {
  EVP_MD_CTX_free(impl_->context);
  EVP_MD_free(impl_->md);
}

std::string GenesisHash() { return std::string(kHexDigits, '0'); }

std::string AuditHasher::Hash(const signal::Event& event, const std::string& previous) {
  std::string& bytes = impl_->bytes;
  bytes.assign(kDomain);
  std::string raw;
  HexDecode(previous, raw);
  bytes += raw;
  PutU64(bytes, event.seq);
  PutU64(bytes, static_cast<uint64_t>(event.time.ns));
  PutText(bytes, event.kind);
  PutText(bytes, event.subject);
  PutText(bytes, event.actor);
  PutText(bytes, event.body_json);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  EVP_DigestInit_ex2(impl_->context, impl_->md, nullptr);
  EVP_DigestUpdate(impl_->context, bytes.data(), bytes.size());
  EVP_DigestFinal_ex(impl_->context, digest.data(), &length);
  return HexEncode({reinterpret_cast<const char*>(digest.data()), length});
}

AuditHeadFile::~AuditHeadFile() {
  if (fd_ >= 0) close(fd_);
}

Result<std::optional<AuditHead>> AuditHeadFile::Read() const {
  std::ifstream file(path_);
  if (!file) return std::optional<AuditHead>();
  AuditHead head;
  std::string raw;
  if (!(file >> head.events >> head.hash) || head.hash.size() != kHexDigits || !HexDecode(head.hash, raw)) {
    return Error(Code::kDataLoss, path_ + " is damaged: it should hold a count and 64 hex digits");
  }
  return std::optional(head);
}

Status AuditHeadFile::Write(const AuditHead& head) {
  if (!kept()) return Status::Ok();
  if (fd_ < 0) fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  // Always as long, within one sector: it is replaced whole or not at all.
  const std::string line = fmt::format("{:020} {}\n", head.events, head.hash);
  if (fd_ < 0 || pwrite(fd_, line.data(), line.size(), 0) != static_cast<ssize_t>(line.size()) ||
      fdatasync(fd_) != 0) {
    return Status(Code::kUnavailable, fmt::format("writing {}: {}", path_, std::strerror(errno)));
  }
  return Status::Ok();
}

}  // namespace tocsin::store::internal
