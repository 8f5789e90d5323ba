import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { forwarding } from '@tidegate/local-stack/commands/welcome';
import { sign } from '@tidegate/stripe-gateway/signature';
import { type Stack, stackForTests } from '@tidegate/test-harness/stack';
import { eventually } from '@tidegate/test-harness/eventually';
import pg from 'pg';
import { type Cli, openCli } from '@tidegate/stripe-simulator/stripe-cli';

interface Intent {
  id: string;
  status: string;
  amount: number;
}
interface Payment {
  stripe_payment_intent: string;
  status: string;
  amount: number;
  amount_captured: number;
  amount_refunded: number;
  origin: string;
  failure?: { code: string };
}

/** What `stripe trigger` makes at Stripe, and how the payment stands here after its events. */
const TRIGGERS: [string, Partial<Payment>][] = [
  ['payment_intent.succeeded', { status: 'succeeded', amount_captured: 2000, amount_refunded: 0 }],
  ['payment_intent.payment_failed', { status: 'requires_payment_method' }],
  ['payment_intent.amount_capturable_updated', { status: 'authorized', amount_captured: 0 }],
  ['payment_intent.canceled', { status: 'canceled' }],
];

interface Standing {
  id: string;
  status: string;
  dunning?: { state: string } | string | null;
}

/** What `stripe trigger` makes at Stripe, and how subscriptions and invoices stand here after its events. */
const BILLING_TRIGGERS: [type: string, subscriptions: string[], invoices: string[]][] = [
  ['customer.subscription.created', ['active'], ['paid']],
  ['customer.subscription.updated', ['active'], ['paid']],
  ['customer.subscription.deleted', ['canceled'], ['paid']],
  ['customer.subscription.paused', ['past_due'], ['paid', 'open retrying']],
  ['customer.subscription.trial_will_end', ['trialing'], ['paid']],
  ['invoice.created', [], ['draft']],
  ['invoice.deleted', [], []],
  ['invoice.finalized', [], ['open needs_payment']],
  ['invoice.marked_uncollectible', [], ['uncollectible given_up']],
  ['invoice.paid', [], ['paid']],
  ['invoice.payment_action_required', [], ['open action_required']],
  ['invoice.payment_failed', [], ['open needs_payment']],
  ['invoice.sent', [], ['open']],
  ['invoice.voided', [], ['void']],
  ['subscription.payment_failed', ['incomplete'], ['open needs_payment']],
];

describe("Stripe's own command line, as a developer uses it with the running stack", () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-cli-stack-'));
  const secrets = join(folder, 'webhook-secrets');
  let stack: Stack;
  let cli: Cli;
  let db: pg.Client;
  beforeAll(async () => {
    writeFileSync(secrets, ['whsec', 'of', 'nobody'].join('_'));
    // Nothing is delivered but by the command line, and its secret is not known yet.
    stack = await stackForTests({
      env: { simulator: { STRIPE_WEBHOOK_URL: '' }, webhooks: { STRIPE_WEBHOOK_SECRET: '', STRIPE_WEBHOOK_SECRET_FILE: secrets } },
    });
    cli = openCli({ url: stack.urls.simulator }, stack.stripe.secretKey);
    db = new pg.Client({ connectionString: stack.databaseUrl() });
    await db.connect();
    const [, , ...args] = forwarding(stack.urls.webhooks[0]!).split(' ');
    const { secret } = await cli.listen(...args);
    writeFileSync(secrets, secret);
    await eventually(async () => expect(await refusalOf('{}', secret)).toBe('body.malformed'));
  }, 120_000);
  afterAll(async () => {
    await cli?.end();
    await db?.end();
    await stack?.stop();
    rmSync(folder, { recursive: true });
  }, 60_000);

  /** What is wrong with a delivery that is no event, as far as is looked: first at its signature. */
  const refusalOf = async (body: string, secret: string): Promise<string> => {
    const signature = sign(Buffer.from(body), secret, Math.floor(Date.now() / 1000));
    const headers = { 'content-type': 'application/json', 'stripe-signature': signature };
    const answer = await fetch(`${stack.urls.webhooks[0]}/webhooks/stripe`, { method: 'POST', headers, body });
    return ((await answer.json()) as { code: string }).code;
  };
  const truth = async (): Promise<{
    payment_intents: Intent[];
    events: { id: string }[];
    subscriptions: Standing[];
    invoices: Standing[];
  }> => {
    const answer = await fetch(`${stack.urls.simulator}/__truth`);
    return (await answer.json()) as Awaited<ReturnType<typeof truth>>;
  };
  const intents = async (): Promise<Intent[]> => (await truth()).payment_intents;
  const paymentOf = async (intent: string): Promise<Payment | undefined> => {
    const headers = { authorization: `Bearer ${stack.keys.default}` };
    const answer = await fetch(`${stack.urls.gateway[0]}/v1/payments?limit=100`, { headers });
    return ((await answer.json()) as { data: Payment[] }).data.find((one) => one.stripe_payment_intent === intent);
  };

  it.each(TRIGGERS)(
    '`stripe trigger %s` makes a payment that ends as it ended at Stripe',
    async (type, expected) => {
      const before = new Set((await intents()).map(({ id }) => id));
      expect(await cli.run('trigger', type)).toContain('Trigger succeeded!');
      const [intent, ...others] = (await intents()).filter(({ id }) => !before.has(id));
      expect(others).toEqual([]);
      await eventually(async () => expect(await paymentOf(intent!.id)).toMatchObject({ ...expected, amount: intent!.amount }), {
        timeoutMs: 20_000,
      });
      expect((await paymentOf(intent!.id))?.origin).toBe('dashboard');
    },
    45_000,
  );

  it('`stripe trigger` of the events of subscriptions and invoices ends in their states', async () => {
    const made: { type: string; subscriptions: string[]; invoices: string[] }[] = [];
    for (const [type] of BILLING_TRIGGERS) {
      const before = await truth();
      expect(await cli.run('trigger', type)).toContain('Trigger succeeded!');
      const after = await truth();
      const fresh = (kind: 'subscriptions' | 'invoices') =>
        after[kind].filter(({ id }) => !before[kind].some((one) => one.id === id)).map(({ id }) => id);
      made.push({ type, subscriptions: fresh('subscriptions'), invoices: fresh('invoices') });
    }
    const ours = async (path: string): Promise<Standing[]> => {
      const answer = await fetch(`${stack.urls.gateway[0]}${path}?limit=100`, {
        headers: { authorization: `Bearer ${stack.keys.default}` },
      });
      return ((await answer.json()) as { data: Standing[] }).data;
    };
    await eventually(
      async () => {
        const [subscriptions, invoices] = [await ours('/v1/subscriptions'), await ours('/v1/invoices')];
        const standing = (id: string, all: Standing[]) => {
          const { status = 'unknown', dunning = null } = all.find((one) => one.id === id) ?? {};
          return typeof dunning === 'string' ? `${status} ${dunning}` : status;
        };
        const ends = made.map((one) => [
          one.type,
          one.subscriptions.map((id) => standing(id, subscriptions)),
          one.invoices.map((id) => standing(id, invoices)),
        ]);
        expect(ends).toEqual(BILLING_TRIGGERS);
        const there = await truth();
        for (const { id, status } of there.subscriptions) expect(subscriptions.find((one) => one.id === id)?.status).toBe(status);
        for (const { id, status } of there.invoices) expect(invoices.find((one) => one.id === id)?.status).toBe(status);
      },
      { timeoutMs: 30_000 },
    );
  }, 180_000);

  it('each of its events came by a delivery that was believed, and took effect or was of no interest', async () => {
    await eventually(
      async () => {
        const { rows } = await db.query<{ id: string; source: string; outcome: string }>(
          'SELECT stripe_event_id AS id, source, processing_outcome AS outcome FROM webhooks.stripe_events',
        );
        expect(rows.filter(({ source, outcome }) => source !== 'webhook' || !['processed', 'ignored'].includes(outcome))).toEqual([]);
        expect(rows.map(({ id }) => id).sort()).toEqual((await truth()).events.map(({ id }) => id).sort());
      },
      { timeoutMs: 20_000 },
    );
  });
});
