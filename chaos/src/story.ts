import type { PaymentView } from '@tidegate/contracts/responses';
import { type CheckoutEnd, tellCheckout } from './checkout-story.js';
import { type CustomerEnd, tellCustomer } from './customer-story.js';
import { type Random, randomFrom } from './seed.js';
import { emptyLog, type Stage, step, type StoryLog, type Telling } from './step.js';

/** What happens to a payment after it was asked for. */
type PaymentKind =
  'capture' | 'cancel' | 'decline' | 'refund' | 'refund_twice' | 'confirm' | 'create' | 'refused' | 'queued' | 'authenticate';

/** `:` names how a story of a checkout or a customer ends; without it, that is left to chance. */
export type Kind = PaymentKind | 'checkout' | `checkout:${CheckoutEnd}` | 'customer' | `customer:${CustomerEnd}`;

/** Stories of payments alone. */
const USUAL: readonly Kind[] = ['capture', 'cancel', 'decline', 'refund_twice', 'refund', 'confirm', 'create'];

/** All that clients do. */
export const EVERY_KIND: readonly Kind[] = [...USUAL, 'queued', 'authenticate', 'checkout', 'checkout', 'checkout', 'customer'];

/** One story to its end. Which one is drawn from the usual ones, unless it is given. */
export async function tellStory(stage: Stage, random: Random, log: StoryLog, kind: Kind = random.pick(USUAL), twice = 0): Promise<void> {
  const telling: Telling = { stage, log, random: randomFrom(random.below(2 ** 31)), twice };
  const [what, end] = kind.split(':') as [string, string | undefined];
  if (what === 'checkout') return tellCheckout(telling, end as CheckoutEnd | undefined);
  if (what === 'customer') return tellCustomer(telling, end as CustomerEnd | undefined);
  return tellPayment(telling, kind as PaymentKind);
}

/**
 * One payment's life as a client lives it: create, then what its state allows (capture, refund, confirm after a decline, cancel), each
 * step under a key of its own that is kept over retries.
 */
async function tellPayment(telling: Telling, kind: PaymentKind): Promise<void> {
  const { log, stage, random } = telling;
  const plan = planOf(kind, random);
  const headers = kind === 'queued' ? { headers: { prefer: 'respond-async' } } : {};
  const created = await step(telling, { method: 'POST', path: '/v1/payments', body: plan.body, ...headers });
  if (created?.status !== 201 && created?.status !== 202) return;
  const payment = JSON.parse(created.body) as PaymentView;
  log.created.push(payment.id);
  if (kind === 'authenticate' && payment.stripe_payment_intent) {
    const outcome = random.chance(0.7) ? 'pass' : 'fail';
    // The intent may be further than this client knows, or not as far.
    await stage.dashboard('complete_action', { payment_intent: payment.stripe_payment_intent, outcome }).catch(() => undefined);
  }
  for (const next of plan.then) await step(telling, { method: 'POST', path: `/v1/payments/${payment.id}/${next.verb}`, body: next.body });
}

interface Plan {
  body: Record<string, unknown>;
  then: { verb: 'confirm' | 'capture' | 'cancel' | 'refunds'; body: Record<string, unknown> }[];
}

function planOf(kind: PaymentKind, random: Random): Plan {
  const amount = 1_000 + random.below(90_000);
  const base = { amount, currency: random.pick(['usd', 'eur', 'gbp']), metadata: { order: `o-${random.below(1_000_000)}` } };
  const partial = 1 + random.below(amount - 1);
  const paid = { ...base, payment_method: 'pm_card_visa' };
  switch (kind) {
    case 'capture':
      return { body: { ...paid, capture_method: 'manual' }, then: [{ verb: 'capture', body: { amount: partial } }] };
    case 'cancel':
      return { body: { ...paid, capture_method: 'manual' }, then: [{ verb: 'cancel', body: {} }] };
    case 'decline':
      return {
        body: { ...base, payment_method: 'pm_card_chargeDeclined' },
        then: [{ verb: 'confirm', body: { payment_method: 'pm_card_visa' } }],
      };
    case 'refund_twice':
      return {
        body: paid,
        then: [
          { verb: 'refunds', body: { amount: partial } },
          { verb: 'refunds', body: { amount: amount - partial } },
        ],
      };
    case 'refund':
      return { body: paid, then: [{ verb: 'refunds', body: {} }] };
    case 'confirm':
      return { body: { ...base, confirm: false }, then: [{ verb: 'confirm', body: { payment_method: 'pm_card_mastercard' } }] };
    case 'create':
    case 'queued':
      return { body: paid, then: [] };
    case 'authenticate':
      return { body: { ...base, payment_method: 'pm_card_threeDSecure2Required', return_url: 'https://shop.example/back' }, then: [] };
    case 'refused':
      return { body: paid, then: [{ verb: 'refunds', body: { amount: amount + 1 } }] };
    default:
      return kind satisfies never;
  }
}

export interface Tellings {
  count: number;
  perSecond: number;
  signal?: AbortSignal;
  /** Which story to tell next; by default the usual ones at random. */
  next?(): Kind | undefined;
  /** Where what happens is written down; a fresh one by default. */
  log?: StoryLog;
  /** How likely a step is sent twice at once; never by default. */
  twice?: number;
  /** So many stories are told at a time, and the next one waits: 64 by default, more than a machine that is busy can answer in time. */
  atOnce?: number;
}

/** Tells stories at `perSecond` (spread evenly, at most `atOnce` at a time) until `count` are told or `signal` aborts; resolves when all ended. */
export async function tellStories(stage: Stage, random: Random, options: Tellings): Promise<StoryLog> {
  const log = options.log ?? emptyLog();
  const atOnce = options.atOnce ?? 64;
  const running = new Set<Promise<void>>();
  const startedAt = performance.now();
  for (let told = 0; told < options.count && !options.signal?.aborted; told++) {
    const due = startedAt + (told * 1_000) / options.perSecond;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    while (running.size >= atOnce) await Promise.race(running);
    const story = tellStory(stage, random, log, options.next?.(), options.twice).finally(() => running.delete(story));
    running.add(story);
  }
  await Promise.all(running);
  return log;
}
