import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '@tidegate/service-host/clock';
import { compareAbsentIntent, compareAbsentRefund, type Comparison, compareIntent, compareRefund, type Finding } from './compare.decide.js';
import type { CompareContext, FirstRead, Suspect } from './first-read.js';
import { readPatiently } from './patient-stripe.js';
import { paymentById, paymentsOfIntents, refundById, refundsOf } from './recorded.query.js';

/** Resolves when everything that payments has published by now is projected here. Rejects when that takes too long. */
export interface InboxProgress {
  caughtUp(stopping: AbortSignal): Promise<void>;
}

export interface SecondRead extends CompareContext {
  inbox: InboxProgress;
  clock: Clock;
  /** A payment that changed less long ago may have a call on its way to Stripe. */
  quietMs: number;
  /** Pause before each round. */
  roundMs: number;
}

/** What keeps changing for so long is alive and no mismatch. */
const LONGEST_MS = 180_000;

interface Reread {
  comparison: Comparison;
  /** When what we recorded changed last; null when nothing is recorded. */
  changedAt: Date | null;
}

/**
 * Looks at each suspect again: Stripe's object first, then what is recorded, after the inbox has reached what payments had published by the time. A
 * disagreement in status counts only when our side was quiet meanwhile; whatever is not quiet yet is looked at in another round.
 */
export async function secondRead(context: SecondRead, { suspects }: FirstRead): Promise<Finding[]> {
  const findings: Finding[] = [];
  const deadline = performance.now() + LONGEST_MS;
  let open = suspects;
  while (open.length > 0 && performance.now() < deadline) {
    await delay(context.roundMs, undefined, { signal: context.stopping });
    const remotes = await rereadStripe(context, open);
    await context.inbox.caughtUp(context.stopping);
    const restless: Suspect[] = [];
    for (const [suspect, remote] of remotes) {
      const { comparison, changedAt } = await compareAgain(context, suspect, remote);
      if (comparison.kind !== 'differs') continue;
      if (isQuiet(context, comparison.findings, changedAt)) findings.push(...comparison.findings);
      else restless.push(suspect);
    }
    open = restless;
  }
  return findings;
}

type Remote =
  { kind: 'intent'; value: Parameters<typeof compareIntent>[1] } | { kind: 'refund'; value: Parameters<typeof compareRefund>[1] } | null;

async function rereadStripe(context: SecondRead, suspects: readonly Suspect[]): Promise<[Suspect, Remote][]> {
  const pairs: [Suspect, Remote][] = [];
  for (const suspect of suspects) pairs.push([suspect, await remoteOf(context, suspect)]);
  return pairs;
}

async function remoteOf({ db, stripe, patienceMs, stopping }: SecondRead, { object, local_id, stripe_id }: Suspect): Promise<Remote> {
  if (object === 'payment') {
    const id = stripe_id ?? (local_id === null ? null : ((await paymentById(db, local_id))?.stripe_payment_intent ?? null));
    const value = id === null ? null : await readPatiently(() => stripe.retrieveIntent(id), patienceMs, stopping);
    return value && { kind: 'intent', value };
  }
  const id = stripe_id ?? (local_id === null ? null : ((await refundById(db, local_id))?.stripe_refund ?? null));
  const value = id === null ? null : await readPatiently(() => stripe.retrieveRefund(id), patienceMs, stopping);
  return value && { kind: 'refund', value };
}

async function compareAgain({ db, rules }: SecondRead, suspect: Suspect, remote: Remote): Promise<Reread> {
  if (remote?.kind === 'intent') {
    const recorded = (await paymentsOfIntents(db, [remote.value])).get(remote.value.id) ?? null;
    return { comparison: compareIntent(recorded, remote.value, rules), changedAt: recorded?.updated_at ?? null };
  }
  if (remote?.kind === 'refund') {
    const recorded = (await refundsOf(db, [remote.value])).get(remote.value.id) ?? null;
    return { comparison: compareRefund(recorded, remote.value), changedAt: recorded?.updated_at ?? null };
  }
  return compareAbsent(db, suspect);
}

async function compareAbsent(db: SecondRead['db'], { object, local_id }: Suspect): Promise<Reread> {
  const nothing: Reread = { comparison: { kind: 'agrees' }, changedAt: null };
  if (local_id === null) return nothing;
  if (object === 'payment') {
    const payment = await paymentById(db, local_id);
    return payment ? { comparison: compareAbsentIntent(payment), changedAt: payment.updated_at } : nothing;
  }
  const refund = await refundById(db, local_id);
  return refund ? { comparison: compareAbsentRefund(refund), changedAt: refund.updated_at } : nothing;
}

/** A call on its way changes a status, or is about to name the object at Stripe; it changes no amount that was recorded. */
function isQuiet({ clock, quietMs }: SecondRead, findings: readonly Finding[], changedAt: Date | null): boolean {
  const mayBeOnItsWay = findings.some(
    (one) => one.class === 'status_mismatch' || (one.class === 'missing_remote' && one.stripe_id === null),
  );
  return !mayBeOnItsWay || changedAt === null || clock.now().getTime() - changedAt.getTime() >= quietMs;
}
