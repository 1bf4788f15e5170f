// Sends telemetry with the real OpenTelemetry exporters: node export.mjs HTTP_URL GRPC_URL
// Prints one JSON object: for each exporter {code, error}; code 0 is success.
import { diag, DiagLogLevel, SpanKind } from '@opentelemetry/api';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtoExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';

const [httpUrl, grpcUrl] = process.argv.slice(2);
const SPANS = 20;
const results = {};
const warnings = [];
const keep = (message) => warnings.push(String(message));
diag.setLogger({ error: keep, warn: keep, info() {}, debug() {}, verbose() {} }, DiagLogLevel.WARN);

// Finished spans of a service, as an instrumented application makes them.
function makeSpans(service) {
  const memory = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service }),
    spanProcessors: [new SimpleSpanProcessor(memory)],
  });
  const tracer = provider.getTracer('e2e');
  for (let i = 0; i < SPANS; i++) {
    const span = tracer.startSpan('chat gpt-4o', { kind: SpanKind.CLIENT });
    span.setAttributes({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4o',
      'gen_ai.response.model': 'gpt-4o-2024-08-06',
      'gen_ai.usage.output_tokens': 12 + i,
      'gen_ai.request.temperature': 0.5,
      'gen_ai.input.messages': JSON.stringify([{ role: 'user', parts: [{ type: 'text', content: `Frage ${i}: Grüße, 東京?` }] }]),
      'gen_ai.output.messages': JSON.stringify([
        { role: 'assistant', parts: [{ type: 'text', content: `Antwort ${i}` }], finish_reason: 'stop' },
      ]),
    });
    span.addEvent('retry', { attempt: 1 });
    span.end();
  }
  return memory.getFinishedSpans();
}

function send(exporter, items) {
  return new Promise((resolve) => {
    exporter.export(items, (result) =>
      resolve({ code: result.code, error: result.error ? String(result.error.message) : '' }));
  });
}

async function traces(name, exporter, spans) {
  results[name] = await send(exporter, spans);
  await exporter.shutdown();
}

await traces('json', new JsonExporter({ url: `${httpUrl}/v1/traces` }), makeSpans('js-json'));
await traces('json_gzip', new JsonExporter({ url: `${httpUrl}/v1/traces`, compression: CompressionAlgorithm.GZIP }), makeSpans('js-json-gzip'));
await traces('proto', new ProtoExporter({ url: `${httpUrl}/v1/traces` }), makeSpans('js-proto'));
await traces('proto_gzip', new ProtoExporter({ url: `${httpUrl}/v1/traces`, compression: CompressionAlgorithm.GZIP }), makeSpans('js-proto-gzip'));
await traces('grpc', new GrpcExporter({ url: grpcUrl }), makeSpans('js-grpc'));
await traces('grpc_gzip', new GrpcExporter({ url: grpcUrl, compression: CompressionAlgorithm.GZIP }), makeSpans('js-grpc-gzip'));

// One span without a valid trace id among good ones: a partial success, and its neighbours are kept.
const mixed = makeSpans('js-partial');
const bad = Object.create(mixed[0], { spanContext: { value: () => ({ traceId: 'abcd', spanId: '12', traceFlags: 1 }) } });
warnings.length = 0;
await traces('partial', new JsonExporter({ url: `${httpUrl}/v1/traces` }), [...mixed.slice(1), bad]);
results.partial.warnings = warnings.join('\n');

// A path that does not exist: the exporter has to report an error, not to hang.
await traces('wrong_path', new ProtoExporter({ url: `${httpUrl}/v1/tracez` }), makeSpans('js-wrong'));

const logs = new LoggerProvider({
  resource: resourceFromAttributes({ 'service.name': 'js-logs' }),
  processors: [new SimpleLogRecordProcessor(new OTLPLogExporter({ url: `${httpUrl}/v1/logs` }))],
});
for (let i = 0; i < 5; i++) logs.getLogger('e2e').emit({ severityNumber: 9, body: `line ${i}` });
await logs.forceFlush();
await logs.shutdown();

const reader = new PeriodicExportingMetricReader({
  exporter: new OTLPMetricExporter({ url: `${httpUrl}/v1/metrics` }),
  exportIntervalMillis: 60000,
});
const meters = new MeterProvider({ resource: resourceFromAttributes({ 'service.name': 'js-metrics' }), readers: [reader] });
const meter = meters.getMeter('e2e');
meter.createCounter('requests').add(3, { route: '/chat' });
meter.createHistogram('seconds').record(0.25);
await meters.forceFlush();
await meters.shutdown();

console.log(JSON.stringify(results));
