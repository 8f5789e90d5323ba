import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

export interface TracingOptions {
  service: string;
  version: string;
  instance?: string;
  /** Base URL of an OTLP/HTTP collector, e.g. http://127.0.0.1:4318. Without it spans are made (ids in logs and headers) and not exported. */
  otlpEndpoint?: string | undefined;
  /** For tests: processors instead of the exporter. */
  spanProcessors?: SpanProcessor[];
}

export interface Tracing {
  /** Exports what is queued, for at most 2 s, and stops. Never throws: lost spans do not fail a shutdown. */
  shutdown(): Promise<void>;
}

const EXPORT_EVERY_MS = 500;
const FLUSH_TIMEOUT_MS = 2000;

/** Registers the process's tracer: W3C propagation, AsyncLocalStorage contexts, batched OTLP export over HTTP/protobuf. */
export async function startTracing(options: TracingOptions): Promise<Tracing> {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': options.service,
      'service.version': options.version,
      ...(options.instance ? { 'service.instance.id': options.instance } : {}),
    }),
    spanProcessors: options.spanProcessors ?? (options.otlpEndpoint ? [await otlpProcessor(options.otlpEndpoint)] : []),
  });
  const registered = trace.setGlobalTracerProvider(provider);
  return {
    async shutdown() {
      await flushed(provider);
      // The next one of this process may take the place.
      if (registered) trace.disable();
    },
  };
}

/** Loaded only when used: the exporter costs 90 ms of start-up. */
async function otlpProcessor(endpoint: string): Promise<SpanProcessor> {
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto');
  const url = `${endpoint.replace(/\/$/, '')}/v1/traces`;
  return new BatchSpanProcessor({
    exporter: new OTLPTraceExporter({ url, timeoutMillis: FLUSH_TIMEOUT_MS }),
    scheduledDelayMillis: EXPORT_EVERY_MS,
    maxQueueSize: 8192,
    exportTimeoutMillis: FLUSH_TIMEOUT_MS,
  });
}

async function flushed(provider: TracerProvider): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, FLUSH_TIMEOUT_MS);
  });
  try {
    await Promise.race([provider.shutdown(), deadline]);
  } catch {
    return;
  } finally {
    clearTimeout(timer);
  }
}
