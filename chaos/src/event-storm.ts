import { type Random } from './seed.js';
import { type AtStripe, BILLING_FLOWS, CHECKOUT_FLOWS, type Flow, PAYMENT_FLOWS, PAYOUT_FLOWS } from './stripe-flows.js';

/** Where a storm takes place: a Stripe that tells nobody anything by itself, and somebody who should hear of it. */
export interface Ground {
  at: AtStripe;
  /** The bodies of the events since the last call, oldest first, as a delivery at the pinned version has them. */
  newEvents(): Promise<string[]>;
  /** Resolves when the delivery was answered 2xx. */
  deliver(body: string): Promise<void>;
  /** After each round: what was delivered may be worked on, while more happens at Stripe. */
  between?(soFar: StormReport): Promise<void>;
}

export interface StormReport {
  events: number;
  deliveries: number;
  /** Never delivered; Stripe's list has them. */
  lost: number;
}

const FLOWS = [...PAYMENT_FLOWS, ...CHECKOUT_FLOWS, ...BILLING_FLOWS, ...PAYOUT_FLOWS];
const ROUND = 250;
const AT_ONCE = 16;
/** Deliveries come on many connections. */
const DELIVERIES_AT_ONCE = 128;

/**
 * Lets things happen at Stripe until there are so many events, and delivers them in random order, each one to five times, half of them while more happens; a
 * tenth is never delivered.
 */
export async function eventStorm(ground: Ground, random: Random, wanted: number): Promise<StormReport> {
  const report: StormReport = { events: 0, deliveries: 0, lost: 0 };
  let waiting: string[] = [];
  const deliverSome = async (share: number) => {
    const shuffled = random.shuffled(waiting);
    const now = shuffled.slice(0, Math.ceil(shuffled.length * share));
    waiting = shuffled.slice(now.length);
    await each(now, (body) => ground.deliver(body), DELIVERIES_AT_ONCE);
    report.deliveries += now.length;
  };
  while (report.events < wanted) {
    await round(ground, random);
    for (const body of await ground.newEvents()) {
      report.events += 1;
      if (random.chance(0.1)) report.lost += 1;
      else waiting.push(...Array.from({ length: times(random) }, () => body));
    }
    await deliverSome(0.5);
    await ground.between?.(report);
  }
  await deliverSome(1);
  return report;
}

/** Some flows side by side, step by step, with a moment between the steps. */
async function round({ at }: Ground, random: Random): Promise<void> {
  const chosen = Array.from({ length: ROUND }, () => ({ flow: choose(random), made: {} as Record<string, string> }));
  const longest = Math.max(...chosen.map(({ flow }) => flow.steps.length));
  for (let i = 0; i < longest; i += 1) {
    await each(chosen, ({ flow, made }) => flow.steps[i]?.(at, made));
    await at.pass(2);
  }
  // Debits clear, refunds fail, balance transactions come.
  await at.pass(60);
}

/** One to five, mostly once. */
const times = (random: Random): number => random.pick([1, 1, 1, 1, 2, 2, 3, 4, 5]);

/** Most of what happens is a plain payment. */
const choose = (random: Random): Flow => (random.chance(0.6) ? PAYMENT_FLOWS[0]! : random.pick(FLOWS));

async function each<T>(items: readonly T[], work: (item: T) => Promise<void> | undefined, atOnce = AT_ONCE): Promise<void> {
  const left = [...items].reverse();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
    }),
  );
}
