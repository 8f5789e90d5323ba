import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { noFailpoints } from '@tidegate/database/failpoints';
import { createStripeAdapter } from '@tidegate/stripe-gateway/adapter';
import { eventually } from '@tidegate/test-harness/eventually';
import { simulatorForTests } from '@tidegate/test-harness/simulator';
import { Partitions } from '../src/stripe-event/partitions.js';
import { Sweep, SweepIncomplete } from '../src/sweep/sweep.loop.js';
import { deliver, hinter, isOurHint, listener, openWorkbench, staged, storedIds, type Workbench } from './workbench.js';

let bench: Workbench;
let simulator: Awaited<ReturnType<typeof simulatorForTests>>;
let stripe: ReturnType<typeof createStripeAdapter>;
let now = new Date();
const found: number[] = [];
let unanswered = 0;

beforeAll(async () => {
  bench = await openWorkbench();
  simulator = await simulatorForTests();
  stripe = createStripeAdapter({ secretKey: ['sk', 'test', 'simulator0000'].join('_'), apiBase: simulator.url, deadlineMs: 2000 });
}, 60_000);
afterAll(async () => {
  stripe.close();
  await simulator.close();
  await bench.close();
});

const sweeper = () =>
  new Sweep({
    db: bench.db,
    failpoints: noFailpoints,
    clock: { now: () => now },
    logger: bench.logger,
    stripe,
    partitions: new Partitions(bench.db, bench.logger),
    settings: { everySeconds: 300, overlapSeconds: 600, settleSeconds: 0 },
    isHint: isOurHint,
    found: (events) => found.push(events),
    unanswered: () => (unanswered += 1),
  });

const hints = () => hinter(bench, stripe, { now: () => now });

/** On the clock of the simulator and ours. */
function fiveMinutesLater(): void {
  simulator.advanceClock(301);
  now = new Date(now.getTime() + 301_000);
}

async function pay(key: string): Promise<string> {
  const created = await stripe.createIntent(
    {
      amount: 4200,
      currency: 'usd',
      captureMethod: 'automatic',
      allowRedirects: 'never',
      metadata: { payment_id: key, tenant_id: 'other' },
    },
    `${key}:create`,
  );
  if (created.kind !== 'ok') throw new Error(`create: ${created.kind}`);
  const confirmed = await stripe.confirmIntent(created.value.id, { paymentMethod: 'pm_card_visa' }, `${key}:confirm`);
  if (confirmed.kind !== 'ok') throw new Error(`confirm: ${confirmed.kind}`);
  // The balance transaction comes a little later, with an event of its own; what is counted below must stand still.
  simulator.advanceClock(60);
  now = new Date(now.getTime() + 60_000);
  await eventually(async () => expect(await listedTypes(created.value.id)).toContain('charge.updated'));
  return created.value.id;
}

async function listedTypes(intent: string): Promise<string[]> {
  const page = await stripe.listEvents({ limit: 100 });
  if (page.kind !== 'ok') throw new Error(page.kind);
  return page.value.data.filter((event) => event.data.object['payment_intent'] === intent).map((event) => event.type);
}

async function listedIds(): Promise<string[]> {
  const page = await stripe.listEvents({ limit: 100 });
  if (page.kind !== 'ok') throw new Error(page.kind);
  return page.value.data.map((event) => event.id).sort();
}

describe('The sweep', () => {
  it('begins where the service was installed and is not due again at once', async () => {
    expect(await sweeper().runOnce({ epoch: 1 })).toBe(0);
    await pay('pay_sweep1');
    expect(await sweeper().runOnce({ epoch: 1 })).toBe(0);
    expect(await storedIds(bench)).toEqual([]);
  });

  it('finds what was never delivered, and only that', async () => {
    const page = await stripe.listEvents({ limit: 100 });
    if (page.kind !== 'ok') throw new Error(page.kind);
    const app = listener(bench);
    const [delivered] = page.value.data;
    await deliver(app, { pending_webhooks: 1, ...delivered });
    await app.close();

    fiveMinutesLater();
    const missed = await sweeper().runOnce({ epoch: 1 });
    expect(missed).toBe(page.value.data.length - 1);
    expect(found.at(-1)).toBe(missed);
    expect(await storedIds(bench)).toEqual(await listedIds());
  });

  it('reads the same events again in its overlap without finding them again', async () => {
    fiveMinutesLater();
    expect(await sweeper().runOnce({ epoch: 1 })).toBe(0);
  });

  it('yields to a later leader', async () => {
    fiveMinutesLater();
    await sweeper().runOnce({ epoch: 7 });
    const { updated_at } = await bench.db.selectFrom('sweep_cursors').select('updated_at').executeTakeFirstOrThrow();
    fiveMinutesLater();
    await sweeper().runOnce({ epoch: 3 });
    expect((await bench.db.selectFrom('sweep_cursors').select('updated_at').executeTakeFirstOrThrow()).updated_at).toEqual(updated_at);
  });

  it('does not move on when Stripe cannot be read, and catches up later', async () => {
    const id = await pay('pay_sweep2');
    fiveMinutesLater();
    const fault = simulator.addFault({ fault: 'error_500_before', route: 'GET /v1/events' } as never);
    await expect(sweeper().runOnce({ epoch: 8 })).rejects.toBeInstanceOf(SweepIncomplete);
    expect(unanswered).toBe(1);
    simulator.clearFaults();
    expect(fault).toBeDefined();
    expect(await sweeper().runOnce({ epoch: 8 })).toBeGreaterThan(0);
    expect(await storedIds(bench)).toEqual(await listedIds());
    expect(id).toMatch(/^pi_/);
  });

  it('says with every page that it is at work', async () => {
    fiveMinutesLater();
    let alive = 0;
    await sweeper().runOnce({ epoch: 8, alive: () => (alive += 1) });
    expect(alive).toBeGreaterThan(0);
  });

  it('leaves hints that are published with what Stripe shows now', async () => {
    while ((await hints().runOnce()) > 0);

    const messages = await staged(bench);
    const created = messages.filter((one) => one.subject === 'stripe.events.payment_intent.created.v1');
    expect(created.length).toBeGreaterThan(0);
    for (const { body, aggregate } of created) {
      expect(body).toMatchObject({
        tenant: 'other',
        data: { hint: true, object: { status: 'succeeded', amount_captured: 4200, card: { brand: 'visa', last4: '4242' } } },
      });
      expect(aggregate).toBe(body.data.object.id);
    }
    expect(JSON.stringify(messages)).not.toContain('_secret_');
  });

  it('finds a dispute whose deliveries were lost, and what was taken for it', async () => {
    const id = await pay('pay_sweep3');
    const order = { payment_intent: id, amount: 1000 };
    const disputed = await fetch(`${simulator.url}/__dashboard/dispute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(order),
    });
    expect(disputed.status).toBe(200);
    fiveMinutesLater();
    await sweeper().runOnce({ epoch: 8 });
    while ((await hints().runOnce()) > 0);

    const about = (await staged(bench)).filter((one) => one.aggregate === id && one.subject.startsWith('stripe.events.charge.dispute.'));
    expect(about.map(({ subject }) => subject).sort()).toEqual([
      'stripe.events.charge.dispute.created.v1',
      'stripe.events.charge.dispute.funds_withdrawn.v1',
    ]);
    for (const { body } of about)
      expect(body.data).toMatchObject({
        hint: true,
        object: {
          object: 'dispute',
          status: 'needs_response',
          amount: 1000,
          dispute: { reason: 'fraudulent', movements: 1, currency: 'usd', withdrawn: 1000, reinstated: 0, fee: 1500 },
        },
      });
  });
});
