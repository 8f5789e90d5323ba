import { setTimeout as pause } from 'node:timers/promises';
import type { PaymentView } from '@tidegate/contracts/responses';
import { type Arena } from './arena.js';
import { type Random } from './seed.js';
import { type StoryLog } from './step.js';

const EVERY_MS = 400;

/** What people do in Stripe's dashboard while clients are at work: they refund, cancel, lose and win disputes. What Stripe refuses them is theirs. */
export async function actInDashboard(arena: Arena, random: Random, log: StoryLog, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const id = log.created.length > 0 ? random.pick(log.created) : undefined;
    const payment = id === undefined ? undefined : await arena.client.get<PaymentView>(`/v1/payments/${id}`).catch(() => undefined);
    if (payment?.stripe_payment_intent) await act(arena, random, payment).catch(() => undefined);
    await pause(EVERY_MS, undefined, { signal: over }).catch(() => undefined);
  }
}

async function act(arena: Arena, random: Random, payment: PaymentView): Promise<void> {
  const payment_intent = payment.stripe_payment_intent;
  const left = payment.amount_captured - payment.amount_refunded;
  if (payment.status === 'authorized') return arena.dashboard('cancel', { payment_intent });
  if (payment.status === 'requires_action')
    return arena.dashboard('complete_action', { payment_intent, outcome: random.chance(0.5) ? 'pass' : 'fail' });
  if (payment.status !== 'succeeded' || left <= 0) return;
  if (random.chance(0.2)) return arena.dashboard('dispute', { payment_intent });
  await arena.dashboard('refund', { payment_intent, amount: 1 + random.below(left) });
}
