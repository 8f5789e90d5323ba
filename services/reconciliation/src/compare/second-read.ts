import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '@tidegate/service-host/clock';
import { compareAbsentIntent, compareAbsentRefund, type Comparison, compareIntent, compareRefund, type Finding } from './compare.decide.js';
import type { CompareContext, FirstRead, Suspect } from './first-read.js';
import { readPatiently } from './patient-stripe.js';
import { paymentById, paymentsOfIntents, refundById, refundsOf } from './recorded.query.js';

/** Resolves when everything that payments has published by now is projected here. Rejects when that takes too long. */
export interface InboxProgress {
  caughtUp(stopping: AbortSignal, alive?: () => void): Promise<void>;
}

export interface SecondRead extends CompareContext {
  inbox: InboxProgress;
  clock: Clock;
  /** A payment that changed less long ago may have a call on its way to Stripe, and news of Stripe's may be on its way to us. */
  quietMs: number;
  /** Pause before the first round; it doubles from round to round. */
  roundMs: number;
}

const LONGEST_PAUSE_MS = 5000;
/** What keeps changing for so long after the first round is alive and no mismatch. */
const LONGEST_MS = 180_000;

interface Reread {
  comparison: Comparison;
  /** When what we recorded changed last; null when nothing is recorded. */
  changedAt: Date | null;
}

/** A suspect that is not settled yet: the findings of the round before, as text, and since which round they have been the same. */
interface Open {
  suspect: Suspect;
  same: { findings: string; since: Date } | null;
}

/**
 * Looks at each suspect again: Stripe's object first, then what is recorded, after the inbox has reached what payments had published by the time. What
 * news on their way could explain counts only when it stayed the same and our side was quiet meanwhile; until then it is looked at in another round.
 */
export async function secondRead(context: SecondRead, { suspects }: FirstRead): Promise<Finding[]> {
  const findings: Finding[] = [];
  let open: Open[] = suspects.map((suspect) => ({ suspect, same: null }));
  let deadline = Infinity;
  for (let pause = context.roundMs; open.length > 0 && performance.now() < deadline; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
    await delay(pause, undefined, { signal: context.stopping });
    const remotes = await rereadStripe(context, open);
    await context.inbox.caughtUp(context.stopping, context.alive);
    const restless: Open[] = [];
    for (const { suspect, same, remote, readAt } of remotes) {
      const { comparison, changedAt } = await compareAgain(context, suspect, remote);
      if (comparison.kind !== 'differs') continue;
      const text = JSON.stringify(comparison.findings);
      const since = same?.findings === text ? same.since : readAt;
      if (isQuiet(context, comparison.findings, readAt, [since, changedAt])) findings.push(...comparison.findings);
      else restless.push({ suspect, same: { findings: text, since } });
    }
    open = restless;
    deadline = Math.min(deadline, performance.now() + LONGEST_MS + 2 * context.quietMs);
  }
  return findings;
}

type Remote =
  { kind: 'intent'; value: Parameters<typeof compareIntent>[1] } | { kind: 'refund'; value: Parameters<typeof compareRefund>[1] } | null;

/** What Stripe says of a suspect, as old as the start of the request. */
type Seen = Open & { remote: Remote; readAt: Date };

async function rereadStripe(context: SecondRead, open: readonly Open[]): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (const one of open) {
    const readAt = context.clock.now();
    seen.push({ ...one, readAt, remote: await remoteOf(context, one.suspect) });
  }
  return seen;
}

async function remoteOf(context: SecondRead, { object, local_id, stripe_id }: Suspect): Promise<Remote> {
  const { db, stripe } = context;
  if (object === 'payment') {
    const id = stripe_id ?? (local_id === null ? null : ((await paymentById(db, local_id))?.stripe_payment_intent ?? null));
    const value = id === null ? null : await readPatiently(() => stripe.retrieveIntent(id), context);
    return value && { kind: 'intent', value };
  }
  const id = stripe_id ?? (local_id === null ? null : ((await refundById(db, local_id))?.stripe_refund ?? null));
  const value = id === null ? null : await readPatiently(() => stripe.retrieveRefund(id), context);
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

/**
 * Whether nothing on its way can explain the findings: no call, which changes a status or is about to name the object at Stripe, and no news of a change
 * or of an object that is not known here. Neither changes an amount that was recorded. All is measured back from when Stripe was read: what changed
 * since then may be newer than Stripe's answer.
 */
function isQuiet({ quietMs }: SecondRead, findings: readonly Finding[], readAt: Date, changes: readonly (Date | null)[]): boolean {
  const mayBeOnItsWay = findings.some(
    (one) => one.class === 'status_mismatch' || one.class === 'missing_local' || (one.class === 'missing_remote' && one.stripe_id === null),
  );
  return !mayBeOnItsWay || changes.every((at) => at === null || readAt.getTime() - at.getTime() >= quietMs);
}
