import { describe, expect, it } from '@jest/globals';
import type { Problem } from '@tidegate/contracts/problem';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import { createLogger } from '@tidegate/telemetry/logger';
import { served } from './payment.rpc.js';

const logger = createLogger({ service: 'payments', level: 'silent' });
const request = (route: string, livemode: boolean) => ({
  ...{ tenant: 'default', actor: 'key_1', request_id: 'req_1', correlation_id: 'req_1', route, params: {}, query: {} },
  ...{ idempotency_key: 'order-1', respond_async: false, livemode, body: {} },
});

/** How a service of that mode answers, and how often its handler was asked. */
async function answered(ours: boolean, route: string, theirs: boolean): Promise<[number, string | undefined, number]> {
  let asked = 0;
  const handler = () => Promise.resolve(jsonReply(200, { asked: (asked += 1) }));
  const { status, body } = await served(handler, { logger, livemode: ours })(request(route, theirs));
  return [status, (JSON.parse(body) as Problem).code, asked];
}

describe('A key of the other mode than our key of Stripe', () => {
  it.each([
    [true, 'POST /v1/payments'],
    [false, 'POST /v1/payments'],
    [true, 'POST /v1/payments/pay_1/refunds'],
    [true, 'POST /v1/usage-events'],
  ])('has nothing made or moved (live: %s, %s)', async (ours, route) => {
    expect(await answered(ours, route, !ours)).toEqual([403, 'auth.other_mode', 0]);
    expect(await answered(ours, route, ours)).toEqual([200, undefined, 1]);
  });

  it.each(['GET /v1/payments', 'POST /v1/ops/payments/pay_1/resolve'])('may look and operate: %s', async (route) => {
    expect(await answered(true, route, false)).toEqual([200, undefined, 1]);
  });
});
