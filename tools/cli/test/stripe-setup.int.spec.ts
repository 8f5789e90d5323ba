import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HANDLED_EVENT_TYPES } from '@tidegate/contracts/handled-event-types';
import type { StripeSetupDoneView, StripeSetupView } from '@tidegate/contracts/ops/stripe-setup';
import { API_VERSION } from '@tidegate/stripe-gateway/adapter';
import { eventually } from '@tidegate/test-harness/eventually';
import { operatorWorld, type OperatorWorld, SECRET_KEY } from './operator-world.js';

interface Done {
  done: boolean;
  would: string[];
  result: StripeSetupDoneView;
}
interface AtStripe {
  id: string;
  url: string;
  status: string;
  api_version: string | null;
  enabled_events: string[];
}

const folder = mkdtempSync(join(tmpdir(), 'tidegate-setup-'));
const secrets = join(folder, 'webhook-secrets');
let world: OperatorWorld;
beforeAll(async () => {
  writeFileSync(secrets, 'whsec_of_before');
  world = await operatorWorld({ webhooks: { STRIPE_WEBHOOK_SECRET: '', STRIPE_WEBHOOK_SECRET_FILE: secrets } });
}, 120_000);
afterAll(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function stripe<T>(path: string, form?: Record<string, string>): Promise<T> {
  const response = await fetch(`${world.simulator.url}${path}`, {
    headers: { authorization: `Bearer ${SECRET_KEY}` },
    ...(form ? { method: 'POST', body: new URLSearchParams(form) } : {}),
  });
  return (await response.json()) as T;
}
const atStripe = async () => (await stripe<{ data: AtStripe[] }>('/v1/webhook_endpoints')).data;
const check = () => world.json<StripeSetupView>('stripe setup --check');
const kinds = ({ drift }: StripeSetupView) => drift.map(({ kind }) => kind);
const setUp = () => world.json<Done>('stripe setup --reason "first set-up" --yes');

describe('A new account', () => {
  let first: StripeSetupDoneView;

  it('is reported to have no endpoint, and nothing is made without a yes', async () => {
    const { exitCode, value } = await check();
    expect([exitCode, kinds(value)]).toEqual([2, ['missing']]);
    const asked = await world.tidegate('stripe setup --reason test');
    expect([asked.exitCode, asked.out]).toEqual([
      1,
      expect.stringContaining(`register ${world.webhooksUrl}/webhooks/stripe at ${API_VERSION}`),
    ]);
    expect(await atStripe()).toEqual([]);
  });

  it('gets one at the pinned version with exactly the handled types, and its secret is shown', async () => {
    const { exitCode, value } = await setUp();
    first = value.result;
    expect(await atStripe()).toMatchObject([{ url: `${world.webhooksUrl}/webhooks/stripe`, status: 'enabled', api_version: API_VERSION }]);
    expect((await atStripe())[0]?.enabled_events.toSorted()).toEqual([...HANDLED_EVENT_TYPES].sort());
    expect(first.created?.secret).toMatch(/^whsec_/);
    // The service does not have it yet.
    expect([exitCode, kinds(first.now)]).toEqual([2, ['secret_unused']]);
    const shown = await world.tidegate('stripe setup --check');
    expect(shown.out).toContain('! secret unused');
    expect(shown.out).not.toContain(first.created?.secret);
    expect(await world.query(`select target, reason from webhooks.operator_actions where action = 'stripe.setup'`)).toEqual([
      { target: `${world.webhooksUrl}/webhooks/stripe`, reason: 'first set-up' },
    ]);
  });

  it('is fine once the service uses the secret, and another set-up changes nothing', async () => {
    writeFileSync(secrets, `whsec_of_before,${first.created?.secret}`);
    await eventually(async () => expect(await check()).toMatchObject({ exitCode: 0, value: { drift: [], actions: [] } }));
    expect(await setUp()).toMatchObject({ exitCode: 0, value: { would: [], result: { done: [], created: null } } });
    expect(await atStripe()).toHaveLength(1);
  });

  it('takes the deliveries of its endpoint', async () => {
    await world.post('/v1/payments', { amount: 4200, currency: 'usd', payment_method: 'pm_card_visa' });
    await eventually(async () => {
      const events = await world.query(`select event_type from webhooks.stripe_events where source = 'webhook'`);
      expect(events.map(({ event_type }) => event_type)).toContain('payment_intent.succeeded');
    });
  });
});

describe('What somebody changed in the dashboard', () => {
  it('is reported and set right: disabled, event types', async () => {
    const [endpoint] = await atStripe();
    await stripe(`/v1/webhook_endpoints/${endpoint?.id}`, {
      disabled: 'true',
      'enabled_events[0]': 'charge.succeeded',
      'enabled_events[1]': 'product.created',
    });
    const { exitCode, value } = await check();
    expect([exitCode, kinds(value)]).toEqual([2, ['disabled', 'events']]);
    expect(value.actions.map(({ detail }) => detail).join()).toContain('-product.created');
    expect(await setUp()).toMatchObject({ exitCode: 0, value: { result: { created: null } } });
    expect((await atStripe())[0]).toMatchObject({ id: endpoint?.id, status: 'enabled' });
    expect((await check()).exitCode).toBe(0);
  });
});

describe('An endpoint of another version', () => {
  it('is replaced by a new one, and disabled only when the secret of that is in use', async () => {
    for (const one of await atStripe())
      await fetch(`${world.simulator.url}/v1/webhook_endpoints/${one.id}`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${SECRET_KEY}` },
      });
    const old = await stripe<AtStripe>('/v1/webhook_endpoints', {
      url: `${world.webhooksUrl}/webhooks/stripe`,
      api_version: '2024-06-20',
      'enabled_events[0]': '*',
    });
    expect(kinds((await check()).value)).toEqual(['api_version']);

    const { result } = (await setUp()).value;
    expect(kinds(result.now)).toEqual(['secret_unused', 'duplicate']);
    const status = async (id: string) => (await atStripe()).find((one) => one.id === id)?.status;
    expect(await status(old.id)).toBe('enabled');

    writeFileSync(secrets, `whsec_of_before,${result.created?.secret}`);
    await eventually(async () => expect((await check()).value.actions).toMatchObject([{ kind: 'disable', endpoint: old.id }]));
    expect((await setUp()).exitCode).toBe(0);
    expect([await status(old.id), await status(result.created?.id ?? '')]).toEqual(['disabled', 'enabled']);
  });
});

describe('When Stripe is in the way', () => {
  it('a new secret is shown all the same, although how things stand cannot be asked any more', async () => {
    for (const one of await atStripe())
      await fetch(`${world.simulator.url}/v1/webhook_endpoints/${one.id}`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${SECRET_KEY}` },
      });
    // One that was made in the same state of things was deleted meanwhile: Stripe would answer with that one again. The command looks, the service looks, makes it, and looks again.
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/webhook_endpoints', nth: 3, times: 0 });
    const { value } = await setUp();
    world.simulator.clearFaults();
    expect(value.result.created?.secret).toMatch(/^whsec_/);
    expect(value.result.done).toMatchObject([{ kind: 'create' }]);
    writeFileSync(secrets, `whsec_of_before,${value.result.created?.secret}`);
    await eventually(async () => expect(await check()).toMatchObject({ exitCode: 0, value: { drift: [], actions: [] } }));
  });

  it('says what Stripe said', async () => {
    world.simulator.addFault({ fault: 'auth_expired', route: 'GET /v1/webhook_endpoints', times: 0 });
    const { exitCode, err } = await world.tidegate('stripe setup --check');
    world.simulator.clearFaults();
    expect([exitCode, err]).toEqual([1, expect.stringContaining('Stripe refuses this')]);
  });

  it('needs to know where Stripe delivers', async () => {
    const { exitCode, err } = await world.tidegate('stripe setup --check', { TIDEGATE_WEBHOOKS_URL: undefined });
    expect([exitCode, err]).toEqual([1, expect.stringContaining('Say with --url')]);
  });
});
