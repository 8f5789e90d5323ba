import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../process/free-port.js';
import { needKit } from '../programs/find-kit.js';
import { started, type Watcher } from './prometheus.js';

/** Newest traces that are kept, in memory. */
const MOST_TRACES = 20_000;

/** Jaeger, and where services send their spans. */
export interface Jaeger extends Watcher {
  /** Base URL for OTEL_EXPORTER_OTLP_ENDPOINT. */
  otlp: string;
}

/** One Jaeger that takes OTLP over HTTP on the loopback address and keeps traces in memory. */
export async function startJaeger({ folder, say }: { folder: string; say?: (line: string) => void }): Promise<Jaeger> {
  const { jaeger } = await needKit('jaeger', { ...(say ? { say } : {}) });
  mkdirSync(folder, { recursive: true });
  const [http, grpc, otlp, health] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const at = (port: number) => ({ endpoint: `127.0.0.1:${port}` });
  const config = {
    service: {
      extensions: ['jaeger_storage', 'jaeger_query', 'healthcheckv2'],
      pipelines: { traces: { receivers: ['otlp'], processors: [], exporters: ['jaeger_storage_exporter'] } },
      telemetry: { metrics: { level: 'none' } },
    },
    extensions: {
      healthcheckv2: { use_v2: true, http: at(health) },
      jaeger_query: { storage: { traces: 'memory' }, http: at(http), grpc: at(grpc) },
      jaeger_storage: { backends: { memory: { memory: { max_traces: MOST_TRACES } } } },
    },
    receivers: { otlp: { protocols: { http: at(otlp) } } },
    exporters: { jaeger_storage_exporter: { trace_storage: 'memory' } },
  };
  // JSON is YAML.
  writeFileSync(join(folder, 'jaeger.yaml'), JSON.stringify(config, null, 2));
  const watcher = await started('Jaeger', http, '/api/services', {
    command: jaeger!,
    args: ['--config', join(folder, 'jaeger.yaml')],
    folder,
  });
  return { ...watcher, otlp: `http://127.0.0.1:${otlp}` };
}

export interface Span {
  trace: string;
  id: string;
  parent: string | null;
  name: string;
  service: string;
  /** Trace ids of spans that it links to. */
  links: string[];
}

interface JaegerTrace {
  processes: Record<string, { serviceName: string }>;
  spans: {
    traceID: string;
    spanID: string;
    operationName: string;
    processID: string;
    startTime: number;
    references: { refType: 'CHILD_OF' | 'FOLLOWS_FROM'; traceID: string; spanID: string }[];
  }[];
}

/** The spans of a trace as Jaeger has them, in the order in which they began; empty when it knows none. */
export async function spansOf(url: string, traceId: string): Promise<Span[]> {
  return (await tracesAt(`${url}/api/traces/${traceId}`)).flat();
}

/** Newest traces with a part of the service that link to a trace: Stripe's deliveries (`webhooks`) begin traces of their own. */
export async function tracesLinkedTo(url: string, traceId: string, service: string): Promise<Span[][]> {
  const newest = await tracesAt(`${url}/api/traces?service=${service}&limit=200&lookback=1h`);
  return newest.filter((spans) => spans.some(({ links }) => links.includes(traceId)));
}

async function tracesAt(url: string): Promise<Span[][]> {
  const answer = await fetch(url);
  if (answer.status === 404) return [];
  if (!answer.ok) throw new Error(`Jaeger answered ${answer.status}`);
  return ((await answer.json()) as { data: JaegerTrace[] }).data.map(spansIn);
}

function spansIn({ spans: all, processes }: JaegerTrace): Span[] {
  return all
    .map((span) => ({ span, service: processes[span.processID]?.serviceName ?? '' }))
    .sort((a, b) => a.span.startTime - b.span.startTime)
    .map(({ span, service }) => ({
      trace: span.traceID,
      id: span.spanID,
      parent: span.references.find(({ refType, traceID }) => refType === 'CHILD_OF' && traceID === span.traceID)?.spanID ?? null,
      name: span.operationName,
      service,
      links: span.references.filter(({ traceID }) => traceID !== span.traceID).map(({ traceID }) => traceID),
    }));
}

/** The tree as text, one span a line; roots are spans whose parent is not among them. */
export function treeOf(spans: readonly Span[]): string[] {
  const ids = new Set(spans.map(({ id }) => id));
  const lines = (parent: string | null, depth: number): string[] =>
    spans
      .filter((span) => (parent === null ? span.parent === null || !ids.has(span.parent) : span.parent === parent))
      .flatMap((span) => [`${'  '.repeat(depth)}${span.service}: ${span.name}`, ...lines(span.id, depth + 1)]);
  return lines(null, 0);
}
