// ModelClient: asks a language model over HTTP, in the protocol of OpenAI's /v1/chat/completions (which vLLM,
// llama.cpp, Ollama and most gateways speak) or Anthropic's /v1/messages.
//
//   Ask ─▶ budget: reserve ─▶ POST, streamed ─▶ reply            429, 5xx, no connection, timeout, damaged
//   answer:
//              ▲                                                  wait (Retry-After, else doubling with
//              jitter), again └──────────── settle with what was reported ◀──────┘
//
// A refusal, a truncated answer and a tool call with malformed arguments are replies, not errors: look at
// `finish` and `malformed`. Everything received is bounded (ModelSettings::max_response_bytes).
//
// Errors: kCancelled (stop requested), kFailedPrecondition (budget), kDeadlineExceeded (timeouts; the
// budget's time), kUnauthenticated, kPermissionDenied, kInvalidArgument, kNotFound (the provider refused the
// request; its message is quoted, at most 300 bytes of it), kOutOfRange (request or answer too large),
// kResourceExhausted (429 to the end), kUnavailable (5xx or unreachable to the end), kDataLoss (answers that
// are no such protocol, to the end). No message holds the key, and no key, prompt or answer is logged.
//
// Ownership: owns its connection. Thread-safety: Ask may be called from any thread, one call at a time waits
// for another: make a client for each concurrent conversation.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "kernel/status.h"
#include "ports/clock.h"
#include "ports/model/model_budget.h"
#include "ports/model/model_types.h"

namespace tocsin::ports {

enum class ModelProtocol : uint8_t { kOpenAi, kAnthropic };

struct ModelSettings {
  ModelProtocol protocol = ModelProtocol::kOpenAi;
  std::string base_url;  // "https://api.openai.com", "http://127.0.0.1:8080": /v1/… is appended; a /v1 at its
                         // end is fine
  std::string model;
  // The key: in an environment variable or a file; at most one is named. None: no key is sent (a local
  // server).
  std::string api_key_env;
  std::string api_key_file;
  std::string anthropic_version = "2026-10-21";  // header anthropic-version
  bool legacy_max_tokens =
      false;           // send max_tokens, which old OpenAI-compatible servers want, not max_completion_tokens
  bool stream = true;  // without it a stall is noticed only at timeout_ms
  ModelPrices prices;

  int64_t connect_timeout_ms = 5'000;
  int64_t idle_timeout_ms = 60'000;  // between two pieces of an answer
  int64_t timeout_ms = 300'000;      // one try
  int max_tries = 4;
  int64_t first_wait_ms = 500;   // before the second try, then doubling, ±50 %
  int64_t max_wait_ms = 30'000;  // also the longest Retry-After that is waited for
  size_t max_request_bytes = 8u << 20;
  size_t max_response_bytes = 8u << 20;
};

struct ModelCall {
  std::stop_token stop;  // ends a call at once, also while it waits
  // Called on the thread of Ask, as text arrives (only when streaming). on_restart: a new try begins, what
  // came before does not count.
  std::function<void(std::string_view)> on_text;
  std::function<void()> on_restart;
};

class ModelClient {
 public:
  virtual ~ModelClient() = default;
  virtual Result<ModelReply> Ask(const ModelRequest& request, ModelBudget& budget,
                                 const ModelCall& call = {}) = 0;
};

// Reads the key and checks the settings: kInvalidArgument, kNotFound (no such variable or file); never the
// key.
Result<std::unique_ptr<ModelClient>> MakeModelClient(const ModelSettings& settings,
                                                     const Clock& clock = SystemClock());

}  // namespace tocsin::ports
