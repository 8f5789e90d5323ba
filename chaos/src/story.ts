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

/**
 * One payment's life as a client lives it: create, then what its state allows (capture, refund, confirm after a decline, cancel), each
 * step under a key of its own that is kept over retries. Which story is told is drawn from `random`.
 */
export async function tellStory(client: Client, random: Random, log: StoryLog): Promise<void> {
  const plan = planOf(random);
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

function planOf(random: Random): Plan {
  const amount = 1_000 + random.below(90_000);
  const base = { amount, currency: random.pick(['usd', 'eur', 'gbp']), metadata: { order: `o-${random.below(1_000_000)}` } };
  const partial = 1 + random.below(amount - 1);
  switch (random.below(7)) {
    case 0:
      return {
        body: { ...base, payment_method: 'pm_card_visa', capture_method: 'manual' },
        then: [{ verb: 'capture', body: { amount: partial } }],
      };
    case 1:
      return { body: { ...base, payment_method: 'pm_card_visa', capture_method: 'manual' }, then: [{ verb: 'cancel', body: {} }] };
    case 2:
      return {
        body: { ...base, payment_method: 'pm_card_chargeDeclined' },
        then: [{ verb: 'confirm', body: { payment_method: 'pm_card_visa' } }],
      };
    case 3:
      return {
        body: { ...base, payment_method: 'pm_card_visa' },
        then: [
          { verb: 'refunds', body: { amount: partial } },
          { verb: 'refunds', body: { amount: amount - partial } },
        ],
      };
    case 4:
      return { body: { ...base, payment_method: 'pm_card_visa' }, then: [{ verb: 'refunds', body: {} }] };
    case 5:
      return { body: { ...base, confirm: false }, then: [{ verb: 'confirm', body: { payment_method: 'pm_card_mastercard' } }] };
    default:
      return { body: { ...base, payment_method: 'pm_card_visa' }, then: [] };
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

/** Tells stories at `perSecond` (spread evenly, at most 64 at a time) until `count` are told or `signal` aborts; resolves when all ended. */
export async function tellStories(
  client: Client,
  random: Random,
  options: { count: number; perSecond: number; signal?: AbortSignal },
): Promise<StoryLog> {
  const log: StoryLog = { created: [], surprises: [] };
  const running = new Set<Promise<void>>();
  const startedAt = performance.now();
  for (let told = 0; told < options.count && !options.signal?.aborted; told++) {
    const due = startedAt + (told * 1_000) / options.perSecond;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    while (running.size >= 64) await Promise.race(running);
    const story = tellStory(client, random, log).finally(() => running.delete(story));
    running.add(story);
  }
  await Promise.all(running);
  return log;
}
