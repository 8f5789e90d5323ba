import {
  type Attributes,
  context,
  type Context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Link,
} from '@opentelemetry/api';
import { isSpanContextValid } from '@opentelemetry/api';
import { scrub } from './scrub.js';

const TRACER = 'tidegate';
const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

export interface SpanOptions {
  kind?: keyof typeof KINDS;
  attributes?: Attributes;
  /** W3C traceparents of spans that this one has to do with but is no child of. */
  links?: readonly (string | null)[];
  /** Absent: child of the current span. A traceparent: child of that one. Null: the root of a new trace. */
  parent?: string | null;
}

/** Runs `fn` inside a new span and ends it; a thrown error marks the span as failed and goes on. */
export async function inSpan<T>(name: string, options: SpanOptions, fn: (span: Span) => Promise<T>): Promise<T> {
  const opened = openSpan(name, options);
  return context.with(opened.context, async () => {
    try {
      return await fn(opened.span);
    } catch (error) {
      failSpan(opened.span, error);
      throw error;
    } finally {
      opened.span.end();
    }
  });
}

/** For callers that cannot wrap their work in one function (HTTP hooks): a started span and the context to run in. The caller ends it. */
export function openSpan(name: string, options: SpanOptions): { span: Span; context: Context } {
  const parent = options.parent === undefined ? context.active() : contextOf(options.parent);
  const span = trace
    .getTracer(TRACER)
    .startSpan(
      name,
      { kind: KINDS[options.kind ?? 'internal'], attributes: options.attributes ?? {}, links: (options.links ?? []).flatMap(linkTo) },
      parent,
    );
  return { span, context: trace.setSpan(parent, span) };
}

/** Marks a span as failed. The text is scrubbed: traces leave the house. */
export function failSpan(span: Span, error: unknown): void {
  const message = scrub(error instanceof Error ? error.message : String(error));
  span.setAttribute('error.type', error instanceof Error ? error.name : 'unknown');
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

/** Says that the current span has to do with the one that a traceparent names, found out only after it began; nothing for null, rubbish or outside any span. */
export function linkCurrentSpan(traceparent: string | null): void {
  for (const link of linkTo(traceparent)) trace.getSpan(context.active())?.addLink(link);
}

/** The W3C traceparent of the current span, or null outside any. */
export function currentTraceparent(): string | null {
  const current = trace.getSpanContext(context.active());
  if (!current || !isSpanContextValid(current)) return null;
  return `00-${current.traceId}-${current.spanId}-${current.traceFlags.toString(16).padStart(2, '0')}`;
}

export function currentTraceId(): string | null {
  const current = trace.getSpan(context.active());
  return current ? traceIdOf(current) : null;
}

/** Null when nothing of the process makes traces. */
export function traceIdOf(span: Span): string | null {
  const own = span.spanContext();
  return isSpanContextValid(own) ? own.traceId : null;
}

/** The context whose current span is the one a traceparent names; the root context for null or rubbish. */
export function contextOf(traceparent: string | null): Context {
  return traceparent === null ? ROOT_CONTEXT : propagation.extract(ROOT_CONTEXT, { traceparent });
}

function linkTo(traceparent: string | null): Link[] {
  const linked = trace.getSpanContext(contextOf(traceparent));
  return linked && isSpanContextValid(linked) ? [{ context: linked }] : [];
}
