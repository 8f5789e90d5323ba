import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type Stripe from 'stripe';
import { type FaultSpec } from '../src/faults/fault.js';
import { startSimulator } from '../src/simulator.js';
import { type Given, KEY, PAY, control, errorOf, eventually, givenSimulator, sdk } from './given.js';

interface Row {
  readonly name: string;
  readonly fault: FaultSpec;
  readonly retries: number;
  readonly attempts: number;
  readonly type: string;
  readonly more?: object;
  readonly message?: string;
  /** How many intents exist afterwards. */
  readonly effects: number;
}

const ALWAYS = { times: 0 } as const;
const connection = 'StripeConnectionError';

/** What SDK 23.1.0 makes of each fault, measured: attempts with its default of two retries or with none, and the error. */
const ROWS: readonly Row[] = [
  {
    name: '500 before the effect',
    fault: { fault: 'error_500_before', ...ALWAYS },
    retries: 2,
    attempts: 3,
    type: 'StripeAPIError',
    more: { statusCode: 500 },
    effects: 0,
  },
  {
    name: '500 after the effect',
    fault: { fault: 'error_500_after', ...ALWAYS },
    retries: 2,
    attempts: 3,
    type: 'StripeAPIError',
    more: { statusCode: 500 },
    effects: 1,
  },
  {
    name: '500 whose effect comes later',
    fault: { fault: 'error_500_late', ...ALWAYS, ms: 3_600_000 },
    retries: 2,
    attempts: 3,
    type: 'StripeAPIError',
    more: { statusCode: 500 },
    effects: 0,
  },
  {
    name: 'a route that refuses connections',
    fault: { fault: 'refuse', ...ALWAYS },
    retries: 2,
    attempts: 3,
    type: connection,
    message: 'retried 2 times',
    effects: 0,
  },
  {
    name: '500 that says not to retry',
    fault: { fault: 'error_500_before', should_retry: false },
    retries: 2,
    attempts: 1,
    type: 'StripeAPIError',
    more: { statusCode: 500 },
    effects: 0,
  },
  {
    name: '503',
    fault: { fault: 'error_503', ...ALWAYS },
    retries: 2,
    attempts: 3,
    type: 'StripeAPIError',
    more: { statusCode: 503 },
    effects: 0,
  },
  {
    name: '502 with HTML',
    fault: { fault: 'error_502_html', ...ALWAYS },
    retries: 2,
    attempts: 3,
    type: 'StripeAPIError',
    message: 'Invalid JSON received',
    effects: 0,
  },
  {
    name: '429',
    fault: { fault: 'rate_limit', ...ALWAYS },
    retries: 2,
    attempts: 1,
    type: 'StripeRateLimitError',
    more: { code: 'rate_limit' },
    effects: 0,
  },
  {
    name: '429 that says to retry',
    fault: { fault: 'rate_limit', ...ALWAYS, should_retry: true },
    retries: 2,
    attempts: 3,
    type: 'StripeRateLimitError',
    effects: 0,
  },
  {
    name: '429 lock timeout',
    fault: { fault: 'lock_timeout', ...ALWAYS },
    retries: 2,
    attempts: 1,
    type: 'StripeRateLimitError',
    more: { code: 'lock_timeout' },
    effects: 0,
  },
  {
    name: '409 key in use',
    fault: { fault: 'key_in_use', ...ALWAYS },
    retries: 2,
    attempts: 3,
    type: 'StripeAPIError',
    more: { statusCode: 409, code: 'idempotency_key_in_use' },
    effects: 0,
  },
  {
    name: '401 expired key',
    fault: { fault: 'auth_expired' },
    retries: 2,
    attempts: 1,
    type: 'StripeAuthenticationError',
    more: { code: 'api_key_expired' },
    effects: 0,
  },
  {
    name: '403 key without the permission',
    fault: { fault: 'forbidden' },
    retries: 2,
    attempts: 1,
    type: 'StripePermissionError',
    more: { statusCode: 403 },
    effects: 0,
  },
  {
    name: 'reset before processing',
    fault: { fault: 'reset_before', ...ALWAYS },
    retries: 2,
    attempts: 3,
    type: connection,
    message: 'retried 2 times',
    effects: 0,
  },
  {
    name: 'reset before processing, retries off',
    fault: { fault: 'reset_before', ...ALWAYS },
    retries: 0,
    attempts: 2,
    type: connection,
    effects: 0,
  },
  {
    name: 'reset after processing, every time',
    fault: { fault: 'reset_after', ...ALWAYS },
    retries: 0,
    attempts: 2,
    type: connection,
    effects: 1,
  },
  { name: 'body cut off', fault: { fault: 'cut_body', ...ALWAYS }, retries: 2, attempts: 1, type: connection, effects: 1 },
  {
    name: 'hang, retries off',
    fault: { fault: 'hang', ...ALWAYS },
    retries: 0,
    attempts: 1,
    type: connection,
    message: 'timeout',
    effects: 0,
  },
  { name: 'hang', fault: { fault: 'hang', ...ALWAYS }, retries: 2, attempts: 3, type: connection, effects: 0 },
];

describe('What the official SDK makes of a fault', () => {
  const seen = new Map<
    string,
    { error: Stripe.errors.StripeError; attempts: number; effects: number; keys: number; shapes: readonly string[] }
  >();

  beforeAll(async () => {
    await Promise.all(
      ROWS.map(async (row) => {
        const simulator = await startSimulator({ apiKeys: [KEY], selfCheck: true });
        simulator.addFault({ ...row.fault, route: 'POST /v1/payment_intents' });
        // Only a request that hangs is to be given up.
        const timeout = row.fault.fault === 'hang' ? 300 : 10_000;
        const error = await errorOf(sdk(simulator, { maxNetworkRetries: row.retries, timeout }).paymentIntents.create(PAY));
        const requests = simulator.world.requests.all();
        const keys = new Set(requests.map(({ idempotency_key: key }) => key)).size;
        const shapes = simulator.world.selfCheck?.faults ?? [];
        seen.set(row.name, { error, attempts: requests.length, effects: simulator.world.paymentIntents.size, keys, shapes });
        await simulator.close();
      }),
    );
  }, 20_000);
  afterAll(() => seen.clear());

  it.each(ROWS)('$name', ({ name, attempts, type, more, message, effects }) => {
    const { error, ...counts } = seen.get(name)!;
    expect(counts).toEqual({ attempts, effects, keys: 1, shapes: [] });
    expect(error.type).toBe(type);
    expect(error).toMatchObject(more ?? {});
    expect(error.message).toContain(message ?? '');
  });
});

describe('When the answer to a charge is lost', () => {
  let given: Given;
  beforeEach(async () => {
    given = await givenSimulator();
  });
  afterEach(() => given.end());

  it('replays it to a retry of the SDK, so that the caller never notices', async () => {
    given.simulator.addFault({ fault: 'reset_after', route: 'POST /v1/payment_intents' });
    const intent = await sdk(given.simulator, { maxNetworkRetries: 1 }).paymentIntents.create(PAY);
    expect(intent.status).toBe('succeeded');
    expect(intent.lastResponse.headers['idempotent-replayed']).toBe('true');
    expect(given.simulator.world.paymentIntents.size).toBe(1);
  });

  it.each(['reset_after', 'cut_body'] as const)('gives the same intent to a caller who retries %s with the same key', async (fault) => {
    given.simulator.addFault({ fault, times: 2 });
    const key = { idempotencyKey: 'mine' };
    expect((await errorOf(given.stripe.paymentIntents.create(PAY, key))).type).toBe(connection);
    given.simulator.clearFaults();
    const intent = await given.stripe.paymentIntents.create(PAY, key);
    expect(given.simulator.world.paymentIntents.all().map(({ id }) => id)).toEqual([intent.id]);
  });

  it('keeps a 500 under its key, before and after the effect, and still tells by webhook', async () => {
    for (const fault of ['error_500_before', 'error_500_after'] as const) {
      given.simulator.addFault({ fault });
      const key = { idempotencyKey: fault };
      expect((await errorOf(given.stripe.paymentIntents.create(PAY, key))).statusCode).toBe(500);
      expect((await errorOf(given.stripe.paymentIntents.create(PAY, key))).statusCode).toBe(500);
    }
    expect(given.simulator.world.paymentIntents.size).toBe(1);
    await eventually(() => given.receiver.received.some(({ event }) => event.type === 'payment_intent.succeeded'));
  });
});

describe('Which requests a fault meets', () => {
  let given: Given;
  beforeEach(async () => {
    given = await givenSimulator();
  });
  afterEach(() => given.end());

  it('hits the nth match, as often as asked, and counts', async () => {
    const { value } = await control(given.simulator, 'POST', '/__faults', {
      fault: 'error_503',
      route: 'GET /v1/customers',
      nth: 2,
      times: 2,
    });
    expect(value).toMatchObject({ fault: 'error_503', hits: 0 });
    const statuses: number[] = [];
    for (let call = 0; call < 4; call += 1) {
      statuses.push(
        await given.stripe.customers.list().then(
          () => 200,
          (error: Stripe.errors.StripeError) => error.statusCode ?? 0,
        ),
      );
    }
    expect(statuses).toEqual([200, 503, 503, 200]);
    expect((await control(given.simulator, 'GET', '/__faults')).value).toMatchObject({ faults: [{ hits: 2, nth: 2 }] });
  });

  it('lets go of hanging requests when the faults are cleared', async () => {
    given.simulator.addFault({ fault: 'hang', times: 0 });
    const answer = given.stripe.customers.list();
    await eventually(() => given.simulator.world.requests.all().length > 0);
    expect(await control(given.simulator, 'DELETE', '/__faults')).toEqual({ status: 200, value: { faults: [] } });
    expect((await answer).data).toEqual([]);
    expect(given.simulator.world.requests.all().map(({ status, fault }) => [status, fault])).toEqual([
      [null, 'hang'],
      [200, undefined],
    ]);
  });

  it('answers late but well with slow, and 409 to the same key meanwhile', async () => {
    given.simulator.addFault({ fault: 'slow', ms: 600 });
    const first = given.stripe.paymentIntents.create(PAY, { idempotencyKey: 'one' });
    await eventually(() => given.simulator.world.paymentIntents.size === 1);
    const second = await errorOf(given.stripe.paymentIntents.create(PAY, { idempotencyKey: 'one' }));
    expect(second).toMatchObject({ statusCode: 409, code: 'idempotency_key_in_use' });
    expect((await first).status).toBe('succeeded');
    expect((await given.stripe.paymentIntents.create(PAY, { idempotencyKey: 'one' })).id).toBe((await first).id);
  });

  it('lets the effect happen after the client has given up with late_effect', async () => {
    given.simulator.addFault({ fault: 'late_effect', ms: 100 });
    await errorOf(given.stripe.paymentIntents.create(PAY, { timeout: 30 }));
    expect(given.simulator.world.paymentIntents.size).toBe(0);
    await eventually(() => given.simulator.world.paymentIntents.size === 1);
  });

  it('rolls forward after a 500 with error_500_late, and still replays the 500', async () => {
    const { id } = await given.stripe.paymentIntents.create({ ...PAY, confirm: false });
    given.simulator.addFault({ fault: 'error_500_late', ms: 60_000 });
    const key = { idempotencyKey: 'late' };
    expect((await errorOf(given.stripe.paymentIntents.confirm(id, {}, key))).statusCode).toBe(500);
    expect((await given.stripe.paymentIntents.retrieve(id)).status).toBe('requires_confirmation');
    given.simulator.advanceClock(61);
    expect((await given.stripe.paymentIntents.retrieve(id)).status).toBe('succeeded');
    expect((await errorOf(given.stripe.paymentIntents.confirm(id, {}, key))).statusCode).toBe(500);
    await eventually(() =>
      given.receiver.received.some(({ event }) => event.type === 'payment_intent.succeeded' && event.request?.idempotency_key === 'late'),
    );
  });

  it('rolls nothing forward that became impossible', async () => {
    const { id } = await given.stripe.paymentIntents.create({ ...PAY, confirm: false });
    given.simulator.addFault({ fault: 'error_500_late', ms: 60_000 });
    await errorOf(given.stripe.paymentIntents.confirm(id));
    await given.stripe.paymentIntents.cancel(id);
    given.simulator.advanceClock(61);
    expect((await given.stripe.paymentIntents.retrieve(id)).status).toBe('canceled');
  });

  it('refuses connections for a time and comes back on its port', async () => {
    await given.stripe.customers.create({});
    await control(given.simulator, 'POST', '/__faults', { fault: 'refuse', duration_ms: 150 });
    const code = (): Promise<unknown> =>
      fetch(given.simulator.url).then(
        () => 'answered',
        (error: Error) => (error.cause as { code: string }).code,
      );
    await eventually(async () => (await code()) === 'ECONNREFUSED');
    await eventually(async () => (await code()) === 'answered');
    expect((await given.stripe.customers.list()).data).toHaveLength(1);
  });

  it.each(['over HTTP', 'from code'])('refuses connections for a time when asked %s', async (how) => {
    const fault = { fault: 'refuse', duration_ms: 100 } as const;
    const { id } =
      how === 'from code'
        ? given.simulator.addFault(fault)
        : ((await control(given.simulator, 'POST', '/__faults', fault)).value as { id: string });
    expect(id).toBe('outage');
    const refused = (): Promise<boolean> =>
      fetch(given.simulator.url).then(
        () => false,
        ({ cause }: Error) => (cause as { code: string }).code === 'ECONNREFUSED',
      );
    await eventually(refused);
    await eventually(async () => !(await refused()));
  });

  it('refuses only the second request when asked to', async () => {
    expect((await control(given.simulator, 'POST', '/__faults', { fault: 'refuse', nth: 9 })).value).toMatchObject({ nth: 9, hits: 0 });
    await control(given.simulator, 'DELETE', '/__faults');
    given.simulator.addFault({ fault: 'refuse', nth: 2, times: 2 });
    await given.stripe.customers.list();
    expect((await errorOf(given.stripe.customers.list())).type).toBe(connection);
    expect((await given.stripe.customers.list()).data).toEqual([]);
  });

  it('stays away when it was closed during an outage', async () => {
    const simulator = await startSimulator({ selfCheck: true });
    simulator.refuse(30);
    await eventually(async () =>
      fetch(simulator.url).then(
        () => false,
        () => true,
      ),
    );
    await simulator.close();
    const watchEndMs = Date.now() + 100;
    while (Date.now() < watchEndMs) await expect(fetch(simulator.url)).rejects.toThrow();
    expect(simulator.world.selfCheck?.faults).toEqual([]);
  });

  it('hides what is new from lists with list_lag', async () => {
    await given.stripe.customers.create({});
    given.simulator.addFault({ fault: 'list_lag', ms: 60_000 });
    expect((await given.stripe.customers.list()).data).toEqual([]);
    expect((await given.stripe.customers.list()).data).toHaveLength(1);
  });

  it.each([
    [{ fault: 'nonsense' }, 'Unknown fault `nonsense`'],
    [{ fault: 'webhook_drop', route: 'charge.updated' }, 'use `event_type`'],
    [{ fault: 'hang', event_type: 'charge.updated' }, 'use `route`'],
    [{ fault: 'hang', often: 3 }, 'Unknown field `often`'],
    [{ fault: 'hang', times: -1 }, '`times` must be'],
    [{ fault: 'hang', probability: 2 }, '`probability` must be'],
    [[], 'A fault is a JSON object'],
  ])('refuses the fault %j', async (fault, sentence) => {
    expect(await control(given.simulator, 'POST', '/__faults', fault)).toEqual({
      status: 400,
      value: { error: expect.stringContaining(sentence) },
    });
  });
});
