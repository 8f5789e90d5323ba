import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DiscrepancyView, RunView } from '@tidegate/contracts/responses';
import { RpcTimeout, RpcUnavailable } from '@tidegate/messaging/rpc';
import { inboxProgress } from '../src/compare/inbox-progress.js';
import type { RunParts } from '../src/run/run.flow.js';
import { runOnce } from '../src/run/run.loop.js';
import { answerCreate, answerDiscrepancies, answerGet } from '../src/run/run.rpc.js';
import { clean, inbox, must, openWorkbench, paid, record, routeRequest, runParts, snapshot, type Workbench } from './workbench.js';

let bench: Workbench;
const never = new AbortController().signal;

beforeAll(async () => {
  bench = await openWorkbench();
}, 60_000);
beforeEach(() => bench.clear());
afterAll(() => bench.shutDown());

const unconfirmed = { status: 'requires_payment_method', amount_captured: 0 } as const;

async function reconcile(changes: Partial<RunParts> = {}, alive?: () => void): Promise<{ run: RunView; rows: DiscrepancyView[] }> {
  const api = { ...runParts(bench), requested: () => undefined };
  const end_date = bench.clock.now().toISOString().slice(0, 10);
  const body = { start_date: '2020-01-01', end_date, mode: 'report', reason: 'spec' };
  const { id } = RunView.parse(JSON.parse((await answerCreate(api, routeRequest({ body }))).body));
  expect(await runOnce(runParts(bench, changes), never, alive)).toBe(1);
  const run = RunView.parse(JSON.parse((await answerGet(api, routeRequest({ params: { id } }))).body));
  const page = JSON.parse((await answerDiscrepancies(api, routeRequest({ params: { id } }))).body) as { data: unknown[] };
  return { run, rows: page.data.map((row) => DiscrepancyView.parse(row)) };
}

/** An inbox that is always up to date; `news` comes in the third round of the second read. */
function inboxWithNewsInRound3(news: () => Promise<void>) {
  let rounds = 0;
  return inbox(async () => {
    rounds += 1;
    if (rounds === 3) await news();
  });
}

describe('While payments are made and paid', () => {
  it('an answer of Stripe is not held against what was recorded after it', async () => {
    const payment = await paid(bench, { confirm: false });
    await record(bench, { ...payment, status: 'unknown' });
    bench.advance(60);
    let confirmed = false;
    const caughtUp = async () => {
      if (confirmed) return;
      confirmed = true;
      must(await bench.stripe.confirmIntent(payment.stripe_payment_intent!, { paymentMethod: 'pm_card_visa' }, 'later'));
      const updated_at = bench.clock.now().toISOString();
      await record(bench, { ...payment, status: 'succeeded', amount_captured: payment.amount, updated_at });
      // Many others are read before this one is compared.
      bench.advance(60);
    };
    expect((await reconcile({ inbox: inbox(caughtUp), quietMs: 25_000 })).run.counts).toEqual(clean);
  });

  it('a payment that Stripe has just finished, and of which we hear in a moment, is no mismatch, however long it was quiet before', async () => {
    const payment = await paid(bench);
    await record(bench, { ...payment, ...unconfirmed });
    bench.advance(120);
    const news = inboxWithNewsInRound3(() => record(bench, payment));
    expect((await reconcile({ inbox: news, quietMs: 60_000 })).run.counts).toEqual(clean);
  });

  it('a payment that somebody makes in the dashboard is not missing while its news is on its way', async () => {
    const payment = await paid(bench, { marked: false });
    const news = inboxWithNewsInRound3(() => record(bench, payment));
    expect((await reconcile({ inbox: news, quietMs: 60_000 })).run.counts).toEqual(clean);
  });

  it('a payment is not missing at Stripe whose intent nobody could ask for, because we heard of it only after that', async () => {
    // On no page of the run, because Stripe makes its intent later.
    const withoutIntent = snapshot(bench, { amount: 4200, amount_captured: 0, status: 'unknown', stripe_payment_intent: null });
    await record(bench, withoutIntent);
    const caughtUp = async () => {
      const intent = must(
        await bench.stripe.createIntent(
          {
            amount: 4200,
            currency: 'usd',
            captureMethod: 'automatic',
            allowRedirects: 'never',
            metadata: { payment_id: withoutIntent.payment_id },
          },
          `${withoutIntent.payment_id}:create`,
        ),
      );
      await record(bench, { ...withoutIntent, status: 'requires_payment_method', stripe_payment_intent: intent.id });
    };
    bench.advance(120);
    expect((await reconcile({ inbox: inbox(caughtUp), quietMs: 60_000 })).run.counts).toEqual(clean);
  });

  interface Behind {
    /** That pass with each round. */
    seconds: number;
    /** For how long payments has had the oldest news that it has not handled. */
    ageMs: (round: number) => number;
    /** When it has handled all of it. */
    heard?: { round: number; news: () => Promise<void> };
  }

  const behind = ({ seconds, ageMs, heard }: Behind) => {
    let rounds = 0;
    return inbox(async () => {
      bench.advance(seconds);
      rounds += 1;
      if (rounds === heard?.round) await heard.news();
      return ageMs(rounds);
    });
  };

  /** Paid at Stripe, which payments has heard of and not handled, for longer than the run waits for quiet. */
  async function paidUnheard(): Promise<() => Promise<void>> {
    const payment = await paid(bench);
    await record(bench, { ...payment, ...unconfirmed });
    bench.advance(120);
    return () => record(bench, payment);
  }

  it('what payments has heard of and not handled yet is no mismatch', async () => {
    const news = await paidUnheard();
    const late = behind({ seconds: 30, ageMs: () => 100_000, heard: { round: 5, news } });
    expect((await reconcile({ inbox: late, quietMs: 60_000 })).run.counts).toEqual(clean);
  });

  it('nor is it with a backlog that is much longer, while payments gets on with it', async () => {
    const news = await paidUnheard();
    const late = behind({ seconds: 60, ageMs: () => 600_000, heard: { round: 8, news } });
    expect((await reconcile({ inbox: late, quietMs: 60_000 })).run.counts).toEqual(clean);
  });

  it('what payments does not come to handle is named all the same', async () => {
    await paidUnheard();
    const stuck = behind({ seconds: 60, ageMs: (round) => 36_000_000 + round * 60_000 });
    expect((await reconcile({ inbox: stuck, quietMs: 60_000 })).rows.map((row) => row.class)).toEqual(['status_mismatch']);
  });

  it('and what it gets on with and does not come to for a quarter of an hour', async () => {
    await paidUnheard();
    const far = behind({ seconds: 300, ageMs: () => 36_000_000 });
    expect((await reconcile({ inbox: far, quietMs: 60_000 })).rows.map((row) => row.class)).toEqual(['status_mismatch']);
  });

  it('what stays different for that long is named', async () => {
    const payment = await paid(bench);
    await record(bench, { ...payment, ...unconfirmed });
    await paid(bench);
    bench.advance(120);
    const { rows } = await reconcile({ inbox: inbox(() => bench.advance(30)), quietMs: 60_000 });
    expect(rows.map((row) => row.class).sort()).toEqual(['missing_local', 'status_mismatch']);
  });
});

describe('A refund that was carried out twice', () => {
  it('is named: the second one carries the same id of ours', async () => {
    const payment = await paid(bench);
    const twice = (key: string) =>
      bench.stripe.createRefund(
        {
          intent: payment.stripe_payment_intent!,
          amount: 100,
          metadata: { refund_id: 'rfd_00000009', payment_id: payment.payment_id, tenant_id: 'default' },
        },
        key,
      );
    const [recorded, second] = [must(await twice('first')), must(await twice('second'))];
    await record(bench, {
      ...payment,
      refunds: [{ id: 'rfd_00000009', status: 'succeeded', amount: 100, reason: null, stripe_refund: recorded.id }],
    });
    const { rows } = await reconcile();
    expect(rows).toMatchObject([{ class: 'refund_mismatch', object: 'refund', stripe_id: second.id, local: `has ${recorded.id}` }]);
  });
});

describe('A run that takes long', () => {
  it('says with every page and every suspect that it is at work', async () => {
    for (let i = 0; i < 3; i += 1) await record(bench, snapshot(bench, { stripe_payment_intent: `pi_gone_${i}` }));
    let alive = 0;
    await reconcile({}, () => (alive += 1));
    // One page of intents, one of refunds, three suspects.
    expect(alive).toBeGreaterThanOrEqual(5);
  });
});

describe('When payments restarts while it is asked how far its news reach', () => {
  const progress = (failures: Error[]) => {
    const request = async () => {
      const failure = failures.shift();
      if (failure) throw failure;
      return { epoch: 1, epoch_start: 0, floor: 0, head: 0, unstamped_ms: null, rows: [] };
    };
    return inboxProgress(bench.db, { request } as never, 500);
  };

  it('is asked again for as long as the run is patient', async () => {
    await progress([new RpcUnavailable('outbox.read', 'nobody answers'), new RpcTimeout('outbox.read')]).caughtUp(never);
  });

  it('ends the wait with the reason', async () => {
    const away = Array.from({ length: 100 }, () => new RpcUnavailable('outbox.read', 'nobody answers'));
    await expect(progress(away).caughtUp(never)).rejects.toThrow(RpcUnavailable);
  });
});

describe('When payments has committed what its relay has not stamped', () => {
  const progressUntil = (unstampedMs: () => number | null) => {
    const request = async () => ({ epoch: 1, epoch_start: 1, floor: 1, head: 0, unstamped_ms: unstampedMs(), rows: [] });
    return inboxProgress(bench.db, { request } as never, 500);
  };

  it('waits for the positions, because a head without them is not all', async () => {
    await expect(progressUntil(() => 60_000).caughtUp(never)).rejects.toThrow(/positions/);
    const answers = [60_000, 60_100, null];
    await progressUntil(() => answers.shift() ?? null).caughtUp(never);
    expect(answers).toEqual([]);
  });

  it('tells for how long the oldest news waits that it has not handled', async () => {
    const told = { epoch: 1, epoch_start: 1, floor: 1, head: 0, unstamped_ms: null, inbox_ms: 1500, rows: [] };
    expect(await inboxProgress(bench.db, { request: async () => told } as never, 500).caughtUp(never)).toBe(1500);
    expect(await progressUntil(() => null).caughtUp(never)).toBe(0);
  });

  it('does not wait for what was committed after it began', async () => {
    const answers = [60_000, 0];
    await progressUntil(() => answers.shift() ?? 60_000).caughtUp(never);
    expect(answers).toEqual([]);
  });
});
