// Reads the settings of a model from a YAML mapping:
//
//   protocol: anthropic              # or openai, the default: also vLLM, llama.cpp, Ollama, gateways
//   url: https://api.anthropic.com
//   name: MODEL
//   api_key_env: ANTHROPIC_API_KEY   # or api_key_file: /run/secrets/model; neither: no key is sent
//   stream: true
//   legacy_max_tokens: false         # openai: max_tokens instead of max_completion_tokens
//   anthropic_version: 2026-10-21
//   connect_timeout: 5s
//   idle_timeout: 60s
//   timeout: 5m
//   tries: 4
//   prices: {input: 3.0, cached_input: 0.3, output: 15.0}     # USD for a million tokens
//   budget: {tokens: 200000, usd: 0.50, time: 5m}             # of one conversation
//
// What is wrong is noted at the document. The key itself is read by MakeModelClient.
#pragma once

#include "ports/model/model_budget.h"
#include "ports/model/model_client.h"
#include "ports/yaml/yaml_section.h"

namespace tocsin::ports {

struct ConfiguredModel {
  ModelSettings settings;
  ModelBudgetLimits budget;
};

void ReadModel(YamlSection& section, ConfiguredModel& model);

}  // namespace tocsin::ports
