import { createServer, type Server } from 'node:http';
import { gunzipSync } from 'node:zlib';
import type { AddressInfo } from 'node:net';
import protobuf from 'protobufjs';

export interface Span {
  traceId: string;
  spanId: string;
  parentSpanId: string | null;
  name: string;
  service: string;
  attributes: Record<string, string>;
}

/** The part of OTLP's trace.proto that the checks read; field numbers as in opentelemetry-proto 1.x. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Export { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span { bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; repeated KeyValue attributes = 9; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; }
`);
const Export = root.lookupType('Export');

interface RawKeyValue {
  key: string;
  value?: { stringValue?: string; intValue?: unknown; boolValue?: boolean; doubleValue?: number };
}
interface RawExport {
  resourceSpans: {
    resource?: { attributes: RawKeyValue[] };
    scopeSpans: { spans: { traceId: Buffer; spanId: Buffer; parentSpanId: Buffer; name: string; attributes: RawKeyValue[] }[] }[];
  }[];
}

/** An OTLP/HTTP collector that keeps every span it is given, and the raw bytes for scans. */
export class OtlpCollector {
  readonly spans: Span[] = [];
  private readonly raw: Buffer[] = [];
  private readonly server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      this.take(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  text(): string {
    return Buffer.concat(this.raw).toString('latin1');
  }

  trace(traceId: string): Span[] {
    return this.spans.filter((s) => s.traceId === traceId);
  }

  private take(body: Buffer): void {
    this.raw.push(body);
    const message = Export.decode(body) as unknown as RawExport;
    for (const { resource, scopeSpans } of message.resourceSpans) {
      const service = attributesOf(resource?.attributes ?? [])['service.name'] ?? '';
      for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
        this.spans.push({
          traceId: hex(span.traceId),
          spanId: hex(span.spanId),
          parentSpanId: span.parentSpanId.length > 0 ? hex(span.parentSpanId) : null,
          name: span.name,
          service,
          attributes: attributesOf(span.attributes),
        });
      }
    }
  }
}

const hex = (bytes: Buffer): string => Buffer.from(bytes).toString('hex');

const attributesOf = (pairs: RawKeyValue[]): Record<string, string> =>
  Object.fromEntries(
    pairs.map(({ key, value }) => [key, String(value?.stringValue || value?.intValue || value?.boolValue || value?.doubleValue || '')]),
  );

/** Spans whose parent is not in the same list; a connected tree has exactly one, its root, whose parent is null. */
export const orphans = (spans: readonly Span[]): Span[] => {
  const ids = new Set(spans.map((s) => s.spanId));
  return spans.filter((s) => s.parentSpanId === null || !ids.has(s.parentSpanId));
};
