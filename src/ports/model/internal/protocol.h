// One provider's protocol: how a request is written and an answer read. Field names follow the type
// definitions of the npm packages `openai` 6.49 and `@anthropic-ai/sdk` 1.13; unknown members and events are
// passed over.
//
// Pure apart from the decoders' own state. Errors: kInvalidArgument (a request that cannot be written),
// kDataLoss (bytes that are no such answer), kUnavailable (an answer cut short, an error in the stream),
// kOutOfRange (too many parts).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernel/status.h"
#include "ports/model/model_client.h"
#include "ports/model/sse_parser.h"

namespace tocsin::ports::internal {

inline constexpr size_t kMaxAnswerParts = 256;  // tool calls or content blocks

// An answer that comes in events. One owner.
class StreamDecoder {
 public:
  using OnText = std::function<void(std::string_view)>;
  virtual ~StreamDecoder() = default;
  virtual Status OnEvent(const SseEvent& event, const OnText& on_text) = 0;
  virtual Result<ModelReply> Finish() = 0;
};

class Protocol {
 public:
  virtual ~Protocol() = default;
  virtual std::string Path() const = 0;
  virtual std::vector<std::pair<std::string, std::string>> Headers(const ModelSettings& settings,
                                                                   const std::string& key) const = 0;
  virtual Result<std::string> Encode(const ModelRequest& request, const ModelSettings& settings) const = 0;
  virtual Result<ModelReply> Decode(std::string_view body) const = 0;
  virtual std::unique_ptr<StreamDecoder> NewStream() const = 0;
};

std::unique_ptr<Protocol> MakeOpenAiProtocol();
std::unique_ptr<Protocol> MakeAnthropicProtocol();

// Both protocols put what is wrong into {"error": {"type", "code", "message"}}.
struct ProviderError {
  std::string type;
  std::string code;
  std::string message;
};
ProviderError ReadProviderError(std::string_view body);
// An error inside a stream that had begun well.
Status StreamError(const ProviderError& error);

// Arguments as the model wrote them: a JSON object, or marked malformed.
void SetArguments(ModelToolCall& call, std::string text);

}  // namespace tocsin::ports::internal
