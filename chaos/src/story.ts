import { randomUUID } from 'node:crypto';
import type { PaymentView } from '@tidegate/contracts/responses';
import type { Answer, Call, Client } from './client.js';
import type { Random } from './seed.js';

/** One step's answer that no user of the API should ever see; kept with what was asked. */
export interface Surprise {
  call: string;
  status: number;
  body: string;
}

export interface StoryLog {
  created: string[];
  surprises: Surprise[];
}

/** What happens to a payment after it was asked for. */
export type Kind = 'capture' | 'cancel' | 'decline' | 'refund' | 'refund_twice' | 'confirm' | 'create' | 'refused';
const USUAL: readonly Kind[] = ['capture', 'cancel', 'decline', 'refund_twice', 'refund', 'confirm', 'create'];

/**
 * One payment's life as a client lives it: create, then what its state allows (capture, refund, confirm after a decline, cancel), each
 * step under a key of its own that is kept over retries. Which story is told is drawn from `random`, unless it is given.
 */
export async function tellStory(client: Client, random: Random, log: StoryLog, kind: Kind = random.pick(USUAL)): Promise<void> {
  const plan = planOf(kind, random);
  const created = await step(client, log, { method: 'POST', path: '/v1/payments', body: plan.body });
  if (created?.status !== 201) return;
  const payment = JSON.parse(created.body) as PaymentView;
  log.created.push(payment.id);
  for (const next of plan.then)
    await step(client, log, { method: 'POST', path: `/v1/payments/${payment.id}/${next.verb}`, body: next.body });
}

interface Plan {
  body: Record<string, unknown>;
  then: { verb: 'confirm' | 'capture' | 'cancel' | 'refunds'; body: Record<string, unknown> }[];
}

function planOf(kind: Kind, random: Random): Plan {
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
      return { body: paid, then: [] };
    case 'refused':
      return { body: paid, then: [{ verb: 'refunds', body: { amount: amount + 1 } }] };
    default:
      return kind satisfies never;
  }
}

/** 422 is an honest answer while an earlier step's outcome is still unknown; what a client must never see is any other 4xx or 5xx. */
const EXPECTED = new Set([200, 201, 202, 422]);
const STILL_TRYING = new Set([0, 409, 429, 503]);

async function step(client: Client, log: StoryLog, call: Call): Promise<Answer | null> {
  const answer = await client.send({ ...call, key: randomUUID() });
  if (EXPECTED.has(answer.status)) return answer;
  if (!STILL_TRYING.has(answer.status))
    log.surprises.push({ call: `${call.method} ${call.path}`, status: answer.status, body: answer.body });
  return null;
}

export interface Telling {
  count: number;
  perSecond: number;
  signal?: AbortSignal;
  /** Which story to tell next; by default the usual ones at random. */
  next?(): Kind | undefined;
  /** Where what happens is written down; a fresh one by default. */
  log?: StoryLog;
}

/** Tells stories at `perSecond` (spread evenly, at most 64 at a time) until `count` are told or `signal` aborts; resolves when all ended. */
export async function tellStories(client: Client, random: Random, options: Telling): Promise<StoryLog> {
  const log: StoryLog = options.log ?? { created: [], surprises: [] };
  const running = new Set<Promise<void>>();
  const startedAt = performance.now();
  for (let told = 0; told < options.count && !options.signal?.aborted; told++) {
    const due = startedAt + (told * 1_000) / options.perSecond;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    while (running.size >= 64) await Promise.race(running);
    const story = tellStory(client, random, log, options.next?.()).finally(() => running.delete(story));
    running.add(story);
  }
  await Promise.all(running);
  return log;
}
