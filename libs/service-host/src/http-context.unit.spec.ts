import { once } from 'node:events';
import { Agent, type IncomingMessage, request as httpRequest } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import { currentCorrelationId } from '@tidegate/telemetry/correlation';
import { createLogger } from '@tidegate/telemetry/logger';
import { createMetrics } from '@tidegate/telemetry/metrics';
import { startTracing, type Tracing } from '@tidegate/telemetry/start-tracing';
import { currentTraceId } from '@tidegate/telemetry/tracing';
import Fastify, { type FastifyInstance } from 'fastify';
import { HealthRegistry } from './health.js';
import { installHttpContext, untraced } from './http-context.js';

const ended: string[] = [];
const collector: SpanProcessor = {
  onStart: () => undefined,
  onEnd: (span: ReadableSpan) => void ended.push(span.name),
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};
const metrics = createMetrics('spec');
const health = new HealthRegistry();
let tracing: Tracing;
let app: FastifyInstance;

beforeAll(async () => {
  tracing = await startTracing({ service: 'spec', version: '0', spanProcessors: [collector] });
  app = Fastify();
  installHttpContext(app, { metrics, health, logger: createLogger({ service: 'spec', level: 'silent' }) });
  app.get('/things/:id', async () => ({}));
  app.post('/echo', async (request) => {
    await Promise.resolve();
    return { trace: currentTraceId(), correlation: currentCorrelationId(), body: request.body };
  });
  app.get('/rubbish', async (request) => {
    untraced(request);
    return {};
  });
});
afterAll(async () => {
  await app.close();
  health.close();
  await tracing.shutdown();
});

const counted = async (route: string): Promise<number | undefined> => {
  const found = await metrics.registry.getSingleMetric('http_request_duration_seconds')?.get();
  const values = found?.values as { metricName?: string; labels: Record<string, unknown>; value: number }[] | undefined;
  return values?.find(
    ({ metricName, labels }) => metricName?.endsWith('_count') === true && labels['route'] === route && labels['status'] === '200',
  )?.value;
};

describe('A request', () => {
  it('is one span, named by its route, and the answer names the trace', async () => {
    const answer = await app.inject('/things/7');
    expect(answer.headers['trace-id']).toMatch(/^[0-9a-f]{32}$/);
    expect(ended).toEqual(['GET /things/{id}']);
    expect(await counted('/things/{id}')).toBe(1);
  });

  it('whose body comes in parts over a connection that others have used is handled in its own trace and correlation', async () => {
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const seen: unknown[] = [];
    for (const id of ['cor_1', 'cor_2']) {
      const headers = { 'content-type': 'application/json', 'x-correlation-id': id };
      const asked = httpRequest(`${url}/echo`, { method: 'POST', agent, headers });
      asked.write('{"a":');
      await once(app.server, 'request');
      asked.end('1}');
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      seen.push({ ...((await json(answer)) as object), trace_header: answer.headers['trace-id'] });
    }
    agent.destroy();

    expect(seen).toMatchObject([
      { correlation: 'cor_1', body: { a: 1 } },
      { correlation: 'cor_2', body: { a: 1 } },
    ]);
    for (const one of seen as { trace: string; trace_header: string }[]) expect(one.trace).toBe(one.trace_header);
  });

  it('whose span is given up is counted all the same', async () => {
    ended.length = 0;
    expect((await app.inject('/rubbish')).statusCode).toBe(200);
    expect(await counted('/rubbish')).toBe(1);
    expect(ended).toEqual([]);
  });
});
