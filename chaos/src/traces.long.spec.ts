import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Jaeger, spansOf, startJaeger, tracesLinkedTo, treeOf } from '@tidegate/local-stack/observability/jaeger';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Arena, openArena } from './arena.js';

let folder: string;
let jaeger: Jaeger;
let arena: Arena;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-jaeger-'));
  jaeger = await startJaeger({ folder, say: (line) => console.info(line) });
  arena = await openArena({ env: { '*': { OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.otlp } } });
}, 1_800_000);
afterAll(async () => {
  await arena?.close();
  await jaeger?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

describe('The trace of a payment, read back from Jaeger', () => {
  it("is one tree from the POST to the receipt and to reconciliation, and Stripe's delivery is linked to it", async () => {
    const body = { amount: 4200, currency: 'usd', payment_method: 'pm_card_visa' };
    const answer = await arena.client.send({ method: 'POST', path: '/v1/payments', key: 'traced', body });
    expect(answer.status).toBe(201);
    const traceId = String(answer.headers['trace-id']);
    const spans = await eventually(
      async () => {
        const found = await spansOf(jaeger.url, traceId);
        const services = new Set(found.map(({ service }) => service));
        expect([...services].sort()).toEqual(expect.arrayContaining(['gateway', 'payments', 'receipts', 'reconciliation']));
        expect(found.some(({ service, name }) => service === 'receipts' && name.includes('render'))).toBe(true);
        return found;
      },
      { timeoutMs: 60_000, everyMs: 500 },
    );
    const ids = new Set(spans.map(({ id }) => id));
    const roots = spans.filter(({ parent }) => parent === null || !ids.has(parent));
    expect(roots.map(({ service, name }) => `${service}: ${name}`)).toEqual(['gateway: POST /v1/payments']);
    expect(treeOf(spans)).toHaveLength(spans.length);

    const delivery = await eventually(
      async () => {
        const found = (await tracesLinkedTo(jaeger.url, traceId, 'webhooks')).flat();
        expect(found.map(({ name }) => name)).toEqual(expect.arrayContaining(['POST /webhooks/stripe']));
        return found;
      },
      { timeoutMs: 60_000, everyMs: 1_000 },
    );
    expect(delivery.some(({ service }) => service === 'payments')).toBe(true);
  }, 180_000);
});
