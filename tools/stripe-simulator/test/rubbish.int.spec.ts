import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HTTP_FAULTS, LATE_FAULTS, WEBHOOK_FAULTS } from '../src/faults/fault.js';
import { routes } from '../src/routes.js';
import { shapeFaults } from '../src/schema/shape.js';
import { type Given, KEY, PAY, control, givenSimulator } from './given.js';
import { type Sent, encoded, nasty, plausible, senseless } from './rubbish/forms.js';

let given: Given;
beforeAll(async () => {
  given = await givenSimulator({ deliverySchedule: [] });
  const { stripe } = given;
  const customer = await stripe.customers.create({ payment_method: 'pm_card_visa' });
  const paid = await stripe.paymentIntents.create({ ...PAY, customer: customer.id });
  await stripe.refunds.create({ payment_intent: paid.id, amount: 100 });
  await stripe.paymentIntents.create({ ...PAY, capture_method: 'manual' });
  await stripe.paymentIntents.create({ amount: 500, currency: 'usd' });
}, 20_000);
afterAll(() => given.end());

/** The same requests in every run; other seeds are for whoever looks for bugs. */
const seed = Number(process.env['RUBBISH_SEED'] ?? 20_261_121);
const runs = (count: number): { seed: number; numRuns: number } => ({ seed, numRuns: count * Number(process.env['RUBBISH_TIMES'] ?? 1) });
const operations = routes.map(({ operation }) => operation);
const id = fc.constantFrom('pi_x', '..', '__proto__', 'constructor', '%', '%2e%2e', 'a b', '');
const FORM = 'application/x-www-form-urlencoded';

interface Answer {
  readonly status: number;
  readonly body: { readonly error?: { readonly type: string; readonly message: string } };
}

async function send(method: string, path: string, text: string, headers: Record<string, string> = {}): Promise<Answer> {
  const inBody = method === 'POST';
  const response = await fetch(`${given.simulator.url}${path}${inBody ? '' : `?${text}`}`, {
    method,
    headers: { Authorization: `Bearer ${KEY}`, 'Content-Type': FORM, ...headers },
    ...(inBody && { body: text }),
    redirect: 'manual',
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

function isDocumented({ status, body }: Answer): void {
  expect([200, 400, 402, 404, 409]).toContain(status);
  if (status !== 200) expect(body.error).toMatchObject({ type: expect.any(String), message: expect.any(String) });
}

/** Ids of everything that exists. */
const known = (): string[] =>
  Object.values(given.simulator.world.collections()).flatMap((collection) => collection.all().map((one) => one.id));

describe('Rubbish', () => {
  it('is answered with a documented error or a valid object, never with 500', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...operations),
        id,
        senseless,
        fc.option(fc.string({ maxLength: 30 })),
        async (operation, someId, text, someKey) => {
          const [method = '', path = ''] = operation.split(' ');
          const real = given.simulator.world.paymentIntents.all()[0]?.id ?? someId;
          const address = path.replace('{id}', text.length % 3 === 0 ? real : encodeURIComponent(someId));
          isDocumented(await send(method, address, text, someKey === null ? {} : { 'Idempotency-Key': encodeURIComponent(someKey) }));
        },
      ),
      runs(400),
    );
  }, 60_000);

  it('that is nearly right gets as far as the handlers, and comes back as an error or an object', async () => {
    const statuses = new Map<number, number>();
    await fc.assert(
      fc.asyncProperty(plausible, async ({ operation, pairs, id: pick }: Sent) => {
        const ids = known();
        const [method = '', path = ''] = operation.split(' ');
        const prefix = /\/v1\/(?:checkout\/)?(\w+)\/\{id\}/.exec(path)?.[1]?.slice(0, 3) ?? '';
        const fit = ids.filter((one) => one.startsWith(PREFIXES[prefix] ?? ''));
        const at = fit[pick % fit.length] ?? 'none';
        const filled = pairs.map(
          ([name, text]) => [name, /^@\d+$/.test(text) ? (ids[Number(text.slice(1)) % ids.length] ?? '') : text] as const,
        );
        const answer = await send(method, path.replace(/\{\w+\}/g, at), encoded(filled));
        isDocumented(answer);
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      }),
      runs(500),
    );
    expect(statuses.get(200)).toBeGreaterThan(30);
  }, 90_000);

  it('in headers is refused or ignored', async () => {
    const printable = fc.string({ maxLength: 40 }).map((text) => text.replaceAll(/[^\x20-\x7e]/g, '?'));
    const name = fc.constantFrom(
      'Authorization',
      'Stripe-Version',
      'Idempotency-Key',
      'Stripe-Account',
      'Content-Type',
      'Content-Length-X',
      'Accept',
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('GET', 'POST', 'DELETE', 'PUT', 'PATCH'), name, printable, async (method, header, value) => {
        const { status } = await send(method, '/v1/customers', 'name=x', { [header]: value });
        expect([200, 400, 401, 404]).toContain(status);
      }),
      runs(150),
    );
  }, 30_000);

  it('as JSON for v2 gets a 4xx or works', async () => {
    const paths = operations.filter((operation) => operation.includes(' /v2/'));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.oneof(fc.json(), fc.string()), async (operation, body) => {
        const [method = '', path = ''] = operation.split(' ');
        const answer = await send(method, path.replace('{id}', 'ed_x'), method === 'POST' ? body : '', {
          'Content-Type': 'application/json',
        });
        expect([200, 400, 404]).toContain(answer.status);
      }),
      runs(100),
    );
  }, 30_000);

  it('on the wire does not end the process', async () => {
    const lines = [
      'GARBAGE\r\n\r\n',
      'POST /v1/customers HTTP/1.1\r\nContent-Length: 99999\r\n\r\nx',
      'GET / HTTP/9.9\r\n\r\n',
      'GET //[ HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /__faults//[?%zz HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET http://[/v1/customers HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /v1/customers HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
      '\0\0\0\0',
      'POST /v1/customers HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n',
    ];
    const address = { host: given.simulator.host, port: given.simulator.port };
    await Promise.all(
      lines.map(
        (line) =>
          new Promise<void>((resolve) => {
            const socket = connect(address, () => socket.end(line));
            socket
              .on('close', () => resolve())
              .on('error', () => resolve())
              .resume();
          }),
      ),
    );
    expect((await fetch(`${given.simulator.url}/healthz`)).status).toBe(200);
  });
});

const PREFIXES: Readonly<Record<string, string>> = {
  ...{ pay: 'pi_', cha: 'ch_', ref: 're_', cus: 'cus_', ses: 'cs_', dis: 'du_', set: 'seti_', pro: 'prod_', pri: 'price_' },
  ...{ sub: 'sub_', inv: 'in_', eve: 'evt_', web: 'we_', bal: 'txn_', met: 'mtr_' },
};

/** Faults whose answers are broken on purpose, or never come, or come late. */
const WITHHELD: readonly string[] = ['refuse', 'hang', 'slow', 'late_effect', 'reset_before', 'reset_after', 'cut_body', 'error_502_html'];

const FELT: Readonly<Record<string, number>> = {
  ...{ error_500_before: 500, error_500_after: 500, error_500_late: 500, error_503: 503 },
  ...{ rate_limit: 429, lock_timeout: 429, auth_expired: 401, forbidden: 403, key_in_use: 409 },
};

/** Everything that exists and has a face in the API. */
function objectsOf({ simulator }: Given): { readonly id: string; readonly object?: string }[] {
  return Object.values(simulator.world.collections()).flatMap((collection) => collection.all());
}

/** Fails when the truth shows an object otherwise than the API would. */
function describedTruth(text: string): string {
  const { payment_intents, charges, refunds, disputes, checkout_sessions } = JSON.parse(text) as Record<string, { object: string }[]>;
  const shown = [payment_intents, charges, refunds, disputes, checkout_sessions].flatMap((some) => some ?? []);
  expect(shown.flatMap((one) => shapeFaults(one, one.object))).toEqual([]);
  return 'truth';
}

describe('Rubbish sent to the control routes', () => {
  let beside: Given;
  beforeAll(async () => {
    beside = await givenSimulator({ deliverySchedule: [] });
  });
  /** Something of every kind that the actions are about. */
  const stock = async (): Promise<void> => {
    const { stripe } = beside;
    const paid = await stripe.paymentIntents.create(PAY);
    await stripe.paymentIntents.create({ ...PAY, capture_method: 'manual' });
    await stripe.paymentIntents.create({ ...PAY, payment_method: 'pm_card_threeDSecure2Required' });
    await control(beside.simulator, 'POST', '/__dashboard/dispute', { payment_intent: paid.id });
    await stripe.checkout.sessions.create({
      mode: 'payment',
      success_url: 'https://shop.example',
      line_items: [{ quantity: 1, price_data: { currency: 'usd', unit_amount: 900, product_data: { name: 'Tea' } } }],
    });
  };
  afterAll(() => beside.end());

  const ACTIONS = [
    'refund',
    'dispute',
    'close_dispute',
    'cancel',
    'pay_checkout',
    'complete_action',
    'payout',
    'edit',
    'rotate_secret',
    'x',
  ];
  const paths = [
    '__faults',
    '__clock',
    '__truth',
    '__reset',
    '__3ds/x',
    '__receipts/%',
    '__checkout/x',
    '',
    ...ACTIONS.map((one) => `__dashboard/${one}`),
  ];
  /** Stands for the id of an object that exists, of this kind or of any. */
  const known = (kind: string): fc.Arbitrary<string> => fc.nat({ max: 1_000 }).map((pick) => `@${kind}${pick}`);
  const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(1e308, -1, 0, 1e15, Number.MAX_SAFE_INTEGER));
  const scalar = fc.oneof(
    nasty,
    number,
    fc.boolean(),
    fc.constant(null),
    fc.json().map((text) => JSON.parse(text) as unknown),
  );
  const fields = [
    'payment_intent',
    'charge',
    'amount',
    'reason',
    'id',
    'changes',
    'kind',
    'outcome',
    'silent',
    'payout',
    'currency',
    'checkout_session',
  ];
  const more = [
    'dispute',
    'endpoint',
    'expires_in_seconds',
    'advance_seconds',
    'fault',
    'route',
    'event_type',
    'nth',
    'times',
    'probability',
    'seed',
    'ms',
  ];
  const fitting = fc
    .record(
      {
        ...{ payment_intent: known('pi_'), charge: known('ch_'), dispute: known('du_'), session: known('cs_'), id: known('') },
        amount: fc.constantFrom(1, 100, 2_000, 99_999),
        kind: fc.constantFrom('chargeback', 'inquiry'),
        outcome: fc.constantFrom('won', 'lost', 'fail', 'warning_closed', 'escalated'),
        changes: fc.constantFrom({ metadata: { a: 'b' } }, { amount: 7 }, { amount: 'x' }, { status: 'succeeded' }, { object: 'x' }, {}),
        silent: fc.boolean(),
      },
      { requiredKeys: ['payment_intent'] },
    )
    .map((one) => JSON.stringify(one));
  const body = fc.oneof(
    { weight: 3, arbitrary: fitting },
    fc.json(),
    fc.string(),
    fc
      .dictionary(fc.constantFrom(...fields, ...more, 'duration_ms', 'copies', 'metadata'), scalar, { maxKeys: 5 })
      .map((one) => JSON.stringify(one)),
    fc
      .record({ advance_seconds: number, expires_in_seconds: number, amount: number }, { requiredKeys: [] })
      .map((one) => JSON.stringify(one)),
    fc
      .record({ fault: fc.constantFrom(...HTTP_FAULTS, ...WEBHOOK_FAULTS, ...LATE_FAULTS), ms: number, times: number, probability: number })
      .map((one) => JSON.stringify(one)),
  );

  /** A request that gets to feel the faults: its answer is checked too, unless they break or withhold it. */
  const feel = async (name: string): Promise<number> => {
    const { faults } = beside.simulator.world;
    if (faults.list().some(({ fault }) => WITHHELD.includes(fault))) return 0;
    const { status } = await fetch(`${beside.simulator.url}/v1/customers`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${KEY}`, 'Content-Type': FORM, 'Idempotency-Key': name },
      body: '',
    });
    return status;
  };

  it.each(HTTP_FAULTS.filter((fault) => !WITHHELD.includes(fault)))('is told by %s in the words that are described', async (fault) => {
    const armed = { fault, route: 'POST /v1/customers', times: 1 };
    expect((await control(beside.simulator, 'POST', '/__faults', armed)).status).toBe(200);
    const status = await feel(fault);
    expect(beside.simulator.world.faults.list()).toMatchObject([{ hits: 1 }]);
    expect(status).toBe(fault === 'list_lag' ? 200 : FELT[fault]);
    beside.simulator.clearFaults();
  });

  it('gets a 4xx or works, never a 500, and leaves an API whose answers are as described', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('GET', 'POST', 'DELETE', 'PUT'), fc.constantFrom(...paths), body, async (method, path, text) => {
        const outage = text.includes('"refuse"');
        if (beside.simulator.world.charges.size === 0) await stock();
        const ids = objectsOf(beside).map((one) => one.id);
        const filled = text.replaceAll(/"@(\D*)(\d+)"/g, (_, kind: string, pick: string) => {
          const fit = ids.filter((one) => one.startsWith(kind));
          return `"${fit[Number(pick) % fit.length]}"`;
        });
        const answer = await fetch(`${beside.simulator.url}/${path}`, {
          method,
          redirect: 'manual',
          ...(method !== 'GET' && !outage && { body: filled }),
        });
        expect(answer.status).toBeLessThan(500);
        const said = await answer.text();
        if (path === '__truth' && answer.status === 200) seen.add(describedTruth(said));
        if (path.startsWith('__dashboard/')) seen.add(`action ${answer.status}`);
        await feel('rubbish');
        beside.simulator.clearFaults();
      }),
      runs(400),
    );
    expect([...seen]).toEqual(expect.arrayContaining(['truth', 'action 200', 'action 400', 'action 404']));
    expect((await fetch(`${beside.simulator.url}/healthz`)).status).toBe(200);
    const clock = (await (await fetch(`${beside.simulator.url}/__clock`)).json()) as { now: string };
    expect(Number.isNaN(Date.parse(clock.now))).toBe(false);
  }, 60_000);
});
