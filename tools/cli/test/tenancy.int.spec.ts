import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ALL_SCOPES } from '@tidegate/gateway/api-key/scopes';
import { ENDPOINTS } from '@tidegate/gateway/endpoints';
import type { Endpoint } from '@tidegate/gateway/http/endpoint';
import { openApiDocument } from '@tidegate/gateway/openapi/document';
import { eventually } from '@tidegate/test-harness/eventually';
import { example, filled, type Operation, type Schema } from '../../../services/gateway/test/schema-examples.js';
import { operatorWorld, type OperatorWorld, SECRET_KEY } from './operator-world.js';

/** What `default` has, as others might guess or steal its id. A new kind of thing in a path must have one here. */
interface Theirs {
  payment: string;
  checkout: string;
  customer: string;
  subscription: string;
  invoice: string;
  receipt: string;
  run: string;
  webhookEvent: string;
  replay: string;
  sweep: string;
  apiKey: string;
  breaker: string;
  deadLetter: string;
  subscriptionCommand: string;
  eventReplay: string;
  tenant: string;
}
const KIND_IN_PATH: Record<string, keyof Theirs> = {
  '/v1/payments/{id}': 'payment',
  '/v1/checkout-sessions/{id}': 'checkout',
  '/v1/customers/{id}': 'customer',
  '/v1/subscriptions/{id}': 'subscription',
  '/v1/invoices/{id}': 'invoice',
  '/v1/receipts/{id}': 'receipt',
  '/v1/reconciliation/runs/{id}': 'run',
  '/v1/webhook-events/{id}': 'webhookEvent',
  '/v1/webhook-replays/{id}': 'replay',
  '/v1/ops/payments/{id}': 'payment',
  '/v1/ops/checkouts/{id}': 'checkout',
  '/v1/ops/api-keys/{id}': 'apiKey',
  '/v1/ops/breakers/{name}': 'breaker',
  '/v1/ops/dead-letters/{id}': 'deadLetter',
  '/v1/ops/subscription-commands/{id}': 'subscriptionCommand',
  '/v1/ops/event-replays/{id}': 'eventReplay',
  '/v1/ops/receipts/{id}': 'receipt',
  '/v1/ops/reconciliation/runs/{id}': 'run',
  '/v1/ops/tenants/{id}': 'tenant',
  '/v1/ops/webhook-events/{id}': 'webhookEvent',
  '/v1/ops/webhook-replays/{id}': 'replay',
  '/v1/ops/webhook-sweeps/{id}': 'sweep',
};
/** Of the same shape, and nobody's. */
const NOBODYS: Partial<Theirs> = {
  payment: 'pay_4f1c2b7a9d3e5f60',
  checkout: 'cks_4f1c2b7a9d3e5f60',
  customer: 'cus_4f1c2b7a9d3e5f60',
  subscription: 'sub_4f1c2b7a9d3e5f60',
  invoice: 'in_4f1c2b7a9d3e5f60',
  receipt: 'rcp_4f1c2b7a9d3e5f60',
  run: 'rec_4f1c2b7a9d3e5f60',
  webhookEvent: 'evt_4f1c2b7a9d3e5f60',
  replay: 'rpl_4f1c2b7a9d3e5f60',
};

const everybodys = ENDPOINTS.filter(({ scope }) => scope === 'ops');
const tenantBound = ENDPOINTS.filter(({ scope }) => scope !== 'ops');
const withId = tenantBound.filter(({ path }) => path.includes('{'));
const withoutId = tenantBound.filter(({ path }) => !path.includes('{'));

let world: OperatorWorld;
let theirs: Theirs;
/** Keys of `other`, with every scope and with every scope but one. */
let others: string;
const othersBut = new Map<string, string>();
let wrongKeys: string[];

beforeAll(async () => {
  world = await operatorWorld({ deliveries: true, whole: true });
  theirs = await madeByDefault();
  others = await world.newKey({ tenant: 'other' });
  for (const scope of ALL_SCOPES)
    othersBut.set(scope, await world.newKey({ tenant: 'other', scopes: ALL_SCOPES.filter((one) => one !== scope) }));
  const revoked = await world.newKey({});
  await world.post(`/v1/ops/api-keys/${revoked.split('_')[2]}/revoke`, { reason: 'to be refused' });
  const unknown = await world.newKey({});
  await world.query('delete from gateway.api_keys where id = $1', [unknown.split('_')[2]]);
  wrongKeys = ['nonsense', 'tg_test_wrong', `${world.key.slice(0, -1)}${world.key.endsWith('0') ? '1' : '0'}`, revoked, unknown];
}, 120_000);
afterAll(() => world?.stop());

async function madeByDefault(): Promise<Theirs> {
  const made = async (path: string, body: object) => {
    const { id } = await world.post<{ id?: string }>(path, body);
    if (id === undefined) throw new Error(`${path} made nothing`);
    return id;
  };
  const first = (path: string) =>
    eventually(async () => {
      const { data } = JSON.parse((await ask(world.key, 'GET', path)).text) as { data: { id: string }[] };
      expect(data.length).toBeGreaterThan(0);
      return data[0]!.id;
    });
  const items = { line_items: [{ name: 'Vase', quantity: 1, unit_amount: 4200 }], currency: 'usd' };
  const pages = { success_url: 'https://shop.example/thanks', cancel_url: 'https://shop.example/cart' };
  await world.query(
    `insert into payments.inbox (consumer, generation, message_id, epoch, aggregate, subject, bytes, state, reason, failures, first_failed_at)
     values ('payments-receipts', 1, gen_random_uuid(), 1, 'pay_4f1c2b7a9d3e5f60', 'receipts.events.receipt.issued.v1', '{}', 'dead', 'a drill', 1, now())`,
  );
  const webhookEvents = async () => {
    const id = await first('/v1/webhook-events?status=processed');
    const { job: replay } = await world.post<{ job: string }>('/v1/webhook-events/replay', { filter: { ids: [id] }, reason: 'a drill' });
    return { webhookEvent: id, replay };
  };
  const customer = await made('/v1/customers', { email: 'payer@example.com' });
  const atStripe = async (path: string, form: Record<string, string>) => {
    const headers = { authorization: `Bearer ${SECRET_KEY}` };
    const answer = await fetch(`${world.simulator.url}/v1/${path}`, { method: 'POST', headers, body: new URLSearchParams(form) });
    return ((await answer.json()) as { id: string }).id;
  };
  const plan = { currency: 'usd', unit_amount: '4200', 'recurring[interval]': 'month', 'product_data[name]': 'Plan' };
  const price = await atStripe('prices', plan);
  await atStripe('subscriptions', { customer, 'items[0][price]': price, trial_period_days: '7' });
  world.simulator.addFault({ fault: 'lock_timeout', route: 'POST /v1/subscriptions', times: 0 });
  expect((await ask(world.key, 'POST', '/v1/subscriptions', { customer, items: [{ price }] })).status).toBe(503);
  const subscriptionCommand = await first('/v1/ops/subscription-commands');
  world.simulator.clearFaults();
  const card = { currency: 'usd', payment_method: 'pm_card_visa' };
  return {
    customer,
    subscription: await first('/v1/subscriptions'),
    invoice: await first('/v1/invoices'),
    payment: await made('/v1/payments', { amount: 4200, customer, ...card }),
    checkout: await made('/v1/checkout-sessions', { ...items, ...pages, customer }),
    run: await made('/v1/reconciliation/runs', { start_date: '2026-11-01', end_date: '2026-11-01', mode: 'report', reason: 'a drill' }),
    receipt: await first('/v1/receipts'),
    ...(await webhookEvents()),
    sweep: await made('/v1/ops/webhook-sweeps', { reason: 'a drill' }),
    deadLetter: await first('/v1/ops/dead-letters'),
    subscriptionCommand,
    eventReplay: await made('/v1/ops/event-replays', { consumer: 'receipts-payments', dry_run: true, reason: 'a drill' }),
    apiKey: (await world.newKey({})).split('_')[2] ?? '',
    breaker: 'stripe_usage',
    tenant: 'default',
  };
}

interface Answer {
  status: number;
  text: string;
  code: string | undefined;
  detail: string | undefined;
}

async function ask(key: string | null, method: string, path: string, body?: object): Promise<Answer> {
  const headers: Record<string, string> = { 'idempotency-key': crypto.randomUUID() };
  if (key !== null) headers['authorization'] = `Bearer ${key}`;
  if (body) headers['content-type'] = 'application/json';
  const response = await fetch(`${world.url}${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (isStream) await response.body?.cancel();
  const text = isStream ? '' : await response.text();
  const problem = text.startsWith('{') ? (JSON.parse(text) as { code?: string; detail?: string }) : {};
  return { status: response.status, text, code: problem.code, detail: problem.detail };
}

const document = openApiDocument(ENDPOINTS) as { paths: Record<string, Record<string, Operation>> };

const operationOf = ({ path, method }: Endpoint): Operation => document.paths[path]![method.toLowerCase()]!;
const bodySchema = (endpoint: Endpoint): Schema | undefined => operationOf(endpoint).requestBody?.content['application/json'].schema;
const bodyOf = (endpoint: Endpoint): object | undefined => {
  const schema = bodySchema(endpoint);
  return schema && example(schema);
};

/** The endpoint's path with the id of something that is there, and with the query that it must have. */
function pathOf(endpoint: Endpoint, things: Partial<Theirs>): string {
  const [, query] = filled(endpoint.path, operationOf(endpoint)).split('?');
  if (!endpoint.path.includes('{')) return query ? `${endpoint.path}?${query}` : endpoint.path;
  const kind = kindOf(endpoint);
  const id = kind && things[kind];
  if (id === undefined) throw new Error(`Tell this spec of something that exists for ${endpoint.path}`);
  const path = endpoint.path.replace(/\{\w+\}/, id);
  if (path.includes('{')) throw new Error(`Tell this spec what the second id of ${endpoint.path} is`);
  return path;
}

/** A body that must name a customer names a new one of their own, so that nothing else is wrong with it. */
const withCustomer = async (endpoint: Endpoint): Promise<object | undefined> => {
  const body = bodyOf(endpoint);
  if (!body || !namesCustomer(endpoint)) return body;
  return { ...body, customer: (await world.post<{ id: string }>('/v1/customers', {})).id };
};
const namesCustomer = (endpoint: Endpoint): boolean => endpoint.id === 'createSubscription';

const send = (key: string | null, endpoint: Endpoint, things: Partial<Theirs> = theirs): Promise<Answer> =>
  ask(key, endpoint.method, pathOf(endpoint, things), bodyOf(endpoint));

const idsOf = (things: Theirs): string[] => Object.values(things).filter((id) => id.includes('_') && !id.startsWith('stripe'));

const kindOf = ({ path }: Endpoint): keyof Theirs | undefined => KIND_IN_PATH[path.slice(0, path.indexOf('}') + 1)];

/** All that `default` can see of what it has, once nothing is under way. */
const seenByDefault = () =>
  eventually(async () => {
    const known = withId.filter((endpoint) => endpoint.method === 'GET' && kindOf(endpoint));
    const seen = await Promise.all(known.map(async (endpoint) => [endpoint.path, (await send(world.key, endpoint)).text] as const));
    const at = (path: string) => JSON.parse(new Map(seen).get(path) ?? '{}') as { status?: string; receipt?: string | null };
    expect(at('/v1/payments/{id}').receipt).toBe(theirs.receipt);
    expect(at('/v1/receipts/{id}').status).toBe('rendered');
    expect(at('/v1/reconciliation/runs/{id}').status).toBe('succeeded');
    expect(at('/v1/webhook-events/{id}').status).toBe('processed');
    expect(at('/v1/webhook-replays/{id}').status).toBe('completed');
    // Each answer has a link of its own.
    return seen.map(([path, text]) => [path, text.replace(/"link":"[^"]+"/, '"link":"another each time"')]);
  });

describe.each(ENDPOINTS)('$method $path', (endpoint) => {
  it('is closed to who has no key, or a wrong one', async () => {
    expect(await send(null, endpoint)).toMatchObject({ status: 401, code: 'auth.missing' });
    for (const key of wrongKeys) expect(await send(key, endpoint)).toMatchObject({ status: 401, code: 'auth.invalid' });
  });

  it('is closed to a key that may do everything but this', async () => {
    expect(await send(othersBut.get(endpoint.scope) ?? null, endpoint)).toMatchObject({ status: 403, code: 'auth.forbidden' });
  });
});

describe('A key of another tenant', () => {
  let before: unknown;
  beforeAll(async () => {
    before = await seenByDefault();
  });

  it.each(withId)('is told by $method $path what it is told of what nobody has', async (endpoint) => {
    const { status, code, detail } = await send(others, endpoint);
    expect([status, code]).toEqual([404, 'not_found']);
    expect(await send(others, endpoint, NOBODYS)).toMatchObject({ status, code, detail });
  });

  it.each(withoutId)('finds nothing by $method $path, nor with any filter', async (endpoint) => {
    const ids = idsOf(theirs);
    const plain = await send(others, endpoint);
    // A customer that is not theirs is as good as none.
    expect(namesCustomer(endpoint) ? [404] : [200, 201]).toContain(plain.status);
    const answers = [plain];
    for (const [name, shape] of Object.entries(endpoint.query?.shape ?? {}))
      for (const id of ids.filter((one) => shape.safeParse(one).success))
        answers.push(await ask(others, endpoint.method, `${endpoint.path}?${new URLSearchParams({ [name]: id }).toString()}`));
    for (const { status, text } of answers) {
      expect(status).toBeLessThan(500);
      expect(ids.filter((id) => text.includes(id))).toEqual([]);
    }
  });

  const naming = tenantBound.flatMap((endpoint) =>
    Object.entries(bodySchema(endpoint)?.properties ?? {}).flatMap(([name, { pattern }]) => {
      const [kind] = Object.entries(NOBODYS).find(([, id]) => pattern?.startsWith(`^${id.split('_')[0]}_`)) ?? [];
      return kind ? [{ ...endpoint, name, kind: kind as keyof Theirs, endpoint }] : [];
    }),
  );
  it.each(naming)('cannot use a $kind of another by $method $path', async ({ endpoint, name, kind }) => {
    const naming = (id: string | undefined) => ask(others, endpoint.method, pathOf(endpoint, theirs), { ...bodyOf(endpoint), [name]: id });
    const { status, code, detail } = await naming(theirs[kind]);
    expect([status, code]).toEqual([404, 'not_found']);
    expect(await naming(NOBODYS[kind])).toMatchObject({ status, code, detail });
  });

  it('is tried with the ids that requests name in their bodies, too', () => {
    expect(naming.map(({ method, path, name }) => `${method} ${path} ${name}`)).toContain('POST /v1/payments customer');
  });

  it.each([
    ['by its id', () => ({ ids: [theirs.webhookEvent] }), () => [theirs.webhookEvent]],
    ['as those of that tenant', () => ({ tenant: 'default' }), () => []],
  ])("replays nobody else's events when it names one %s", async (_, filter, not_found) => {
    const { text } = await ask(others, 'POST', '/v1/webhook-events/replay', { filter: filter(), reason: 'a try' });
    expect(JSON.parse(text)).toMatchObject({ matched: 0, queued: 0, job: null, not_found: not_found() });
  });

  it('has changed nothing by all of this', async () => {
    expect(await seenByDefault()).toEqual(before);
  });
});

/** Done, or refused for how the thing stands: it is past every question of who asks. */
async function served(key: string, endpoint: Endpoint): Promise<void> {
  const { status, text } = await ask(key, endpoint.method, pathOf(endpoint, theirs), await withCustomer(endpoint));
  const fine = endpoint.method === 'GET' ? [200] : [...Object.keys(endpoint.answers).map(Number), 409, 422];
  expect(fine.includes(status) ? 'served' : `${status} ${text}`).toBe('served');
}

describe('The own key', () => {
  it.each(tenantBound)('is served by $method $path', (endpoint) => served(world.key, endpoint));
});

describe('A key for operating, of whatever tenant', () => {
  it.each(everybodys)('is served by $method $path', (endpoint) => served(others, endpoint));
});
