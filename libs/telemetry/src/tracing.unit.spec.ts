import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { startTracing, type Tracing } from './start-tracing.js';
import { currentTraceId, currentTraceparent, inSpan, linkCurrentSpan } from './tracing.js';

const exporter = new InMemorySpanExporter();
let tracing: Tracing;
beforeAll(async () => {
  tracing = await startTracing({ service: 'test', version: '0', spanProcessors: [new SimpleSpanProcessor({ exporter })] });
});
beforeEach(() => exporter.reset());
afterAll(() => tracing.shutdown());

describe('A span', () => {
  it('is the child of the current one, across awaits', async () => {
    await inSpan('outer', {}, async () => {
      await Promise.resolve();
      await inSpan('inner', { kind: 'client' }, () => Promise.resolve());
    });

    const [inner, outer] = exporter.getFinishedSpans();
    expect(inner?.name).toBe('inner');
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
  });

  it('is the child of the span that a traceparent names, over a process boundary', async () => {
    let traceparent: string | null = null;
    await inSpan('publish', { kind: 'producer' }, () => Promise.resolve(void (traceparent = currentTraceparent())));
    await inSpan('process', { kind: 'consumer', parent: traceparent }, () => Promise.resolve());

    const [publish, process] = exporter.getFinishedSpans();
    expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(process?.parentSpanContext?.spanId).toBe(publish?.spanContext().spanId);
    expect(process?.spanContext().traceId).toBe(publish?.spanContext().traceId);
  });

  it('is exported unless whoever called had its trace not sampled; the id is passed on either way', async () => {
    const called = (flag: string) => `00-${'a'.repeat(32)}-${'b'.repeat(16)}-${flag}`;
    const passedOn: (string | null)[] = [];
    for (const flag of ['00', '01'])
      await inSpan(`sampled ${flag}`, { parent: called(flag) }, () => Promise.resolve(void passedOn.push(currentTraceparent())));

    expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['sampled 01']);
    expect(passedOn).toEqual([expect.stringMatching(/^00-a{32}-[0-9a-f]{16}-00$/), expect.stringMatching(/^00-a{32}-[0-9a-f]{16}-01$/)]);
  });

  it('begins a new trace when its parent is null, and links to what it has to do with', async () => {
    let elsewhere: string | null = null;
    await inSpan('elsewhere', {}, () => Promise.resolve(void (elsewhere = currentTraceparent())));
    await inSpan('outer', {}, () => inSpan('root', { parent: null, links: [elsewhere, 'rubbish', null] }, () => Promise.resolve()));

    const root = exporter.getFinishedSpans().find((span) => span.name === 'root');
    expect(root?.parentSpanContext).toBeUndefined();
    expect(root?.links).toHaveLength(1);
  });

  it('links to what it turns out to have to do with, after it began', async () => {
    let elsewhere: string | null = null;
    await inSpan('elsewhere', {}, () => Promise.resolve(void (elsewhere = currentTraceparent())));
    await inSpan('delivery', { parent: null }, () => Promise.resolve([elsewhere, 'rubbish', null].forEach(linkCurrentSpan)));

    const [first, delivery] = exporter.getFinishedSpans();
    expect(delivery?.links.map(({ context }) => context.traceId)).toEqual([first?.spanContext().traceId]);
    expect(() => linkCurrentSpan(elsewhere)).not.toThrow();
  });

  it('tells of a failure without the secret in its message', async () => {
    const secret = ['sk', 'test', 'a1B2c3D4e5F6'].join('_');
    await expect(inSpan('call', {}, () => Promise.reject(new TypeError(`key ${secret} refused`)))).rejects.toThrow('refused');

    const [span] = exporter.getFinishedSpans();
    expect(span?.status.code).toBe(2);
    expect(span?.attributes['error.type']).toBe('TypeError');
    expect(JSON.stringify([span?.status, span?.attributes, span?.events])).not.toContain(secret);
  });
});

describe('Outside any span', () => {
  it('there is no trace id and no traceparent', () => {
    expect(currentTraceId()).toBeNull();
    expect(currentTraceparent()).toBeNull();
  });
});

describe('After a shutdown', () => {
  it('the next one that starts in this process hears of spans', async () => {
    await tracing.shutdown();
    const next = new InMemorySpanExporter();
    tracing = await startTracing({ service: 'test', version: '0', spanProcessors: [new SimpleSpanProcessor({ exporter: next })] });
    await inSpan('later', {}, () => Promise.resolve());
    expect(next.getFinishedSpans().map(({ name }) => name)).toEqual(['later']);
  });
});
