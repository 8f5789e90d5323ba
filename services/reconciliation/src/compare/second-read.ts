import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '@tidegate/service-host/clock';
import { dropRestless, type Looked, openSuspects, type OpenSuspect, recordLooks } from '../run/progress.store.js';
import { Backlog } from './backlog.js';
import { AGREES, type Comparison, type Finding } from './finding.js';
import type { CompareContext } from './first-read.js';
import type { InboxProgress } from './inbox-progress.js';
import { kindNamed } from './kinds.js';
import type { Local, LocalSide, Remote, RemoteSide } from './kind.js';
import { readPatiently } from './patient-stripe.js';

export interface SecondRead extends CompareContext {
  inbox: InboxProgress;
  clock: Clock;
  /** A payment that changed less long ago may have a call on its way to Stripe, and news of Stripe's may be on its way to us. */
  quietMs: number;
  /** Pause before the first round; it doubles from round to round. */
  roundMs: number;
}

const LONGEST_PAUSE_MS = 5000;
/** What keeps changing for so long after the first round, or after payments has come through a long backlog, is alive and no mismatch. */
const LONGEST_MS = 180_000;
/** Suspects that are held at a time. */
const BATCH = 200;

/**
 * Looks at each suspect again: Stripe's object first, then what is recorded, after the inbox has reached what was published by the time. What news on their way
 * could explain counts only when it stayed the same and our side was quiet meanwhile; until then it is looked at in another round.
 */
export async function secondRead(context: SecondRead): Promise<void> {
  const backlog = new Backlog();
  let deadline = Infinity;
  for (let pause = context.roundMs; performance.now() < deadline; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
    const restless = await round(context, backlog, pause);
    if (restless === 0) return;
    deadline = backlog.isLong ? Infinity : Math.min(deadline, performance.now() + LONGEST_MS + 2 * context.quietMs);
  }
  await dropRestless(context.db, context);
}

/** One look at each suspect that is not settled; answers how many are not yet. */
async function round(context: SecondRead, backlog: Backlog, pause: number): Promise<number> {
  let restless = 0;
  for (let after = 0; ;) {
    const batch = await openSuspects(context.db, context.runId, after, BATCH);
    if (batch.length === 0) return restless;
    if (after === 0) await delay(pause, undefined, { signal: context.stopping });
    const looks = await lookAgain(context, backlog, batch);
    await recordLooks(context.db, context, looks);
    restless += looks.filter((one) => one.verdict === 'restless').length;
    after = batch.at(-1)!.number;
  }
}

async function lookAgain(context: SecondRead, backlog: Backlog, batch: readonly OpenSuspect[]): Promise<Looked[]> {
  const answers: { suspect: OpenSuspect; answer: Answer }[] = [];
  for (const suspect of batch) answers.push({ suspect, answer: await ask(context, suspect) });
  const askedAt = context.clock.now();
  const backlogMs = backlog.allows(askedAt, await context.inbox.caughtUp(context.stopping, context.alive));
  if (batch.some((one) => one.object === 'receipt')) await context.inbox.receiptsCaughtUp(context.stopping, context.alive);
  const looks: Looked[] = [];
  for (const { suspect, answer } of answers) {
    const { readAt } = answer;
    looks.push(verdictOf(context, suspect, { ...(await compareAgain(context, suspect, answer)), readAt, backlogMs }));
  }
  return looks;
}

/** What Stripe says, as old as the start of the request; asked by no id when none was known. */
interface Answer {
  id: string | null;
  remote: Remote | null;
  readAt: Date;
}

async function ask({ db, stripe, usage, clock, ...patience }: SecondRead, { object, local_id, stripe_id }: OpenSuspect): Promise<Answer> {
  const readAt = clock.now();
  const { remote, local } = kindNamed(object);
  const retrieve = (remote as RemoteSide<Remote, Local> | undefined)?.retrieve;
  if (!retrieve) return { id: null, remote: null, readAt };
  const known = stripe_id === null && local && local_id !== null ? ((await local.byId(db, local_id)) as Local | null) : null;
  const id = stripe_id ?? (known && local ? (local.stripeIdOf(known) as string | null) : null);
  return { id, remote: id === null ? null : await readPatiently(() => retrieve(stripe, id, { usage, ...patience }), patience), readAt };
}

interface Reread {
  comparison: Comparison;
  /** Stripe was not asked for what is recorded by now: nothing can be said of it before the next round. */
  unasked?: boolean;
  /** When what we recorded changed last; null when nothing is recorded. */
  changedAt: Date | null;
  madeAt: Date | null;
}

async function compareAgain({ db, rules }: SecondRead, { object, local_id }: OpenSuspect, { id, remote }: Answer): Promise<Reread> {
  const kind = kindNamed(object);
  if (remote === null) return compareAbsent(db, kind, local_id, id);
  const side = kind.remote as RemoteSide<Remote, Local>;
  const recorded = (await side.recordedFor(db, [remote])).get(remote.id) ?? null;
  const comparison = side.compare(recorded, remote, rules);
  const isAnothers = recorded === null && comparison.kind === 'differs' && (await side.explained?.(db, [remote]))?.has(remote.id);
  return { comparison: isAnothers ? AGREES : comparison, changedAt: recorded?.updated_at ?? null, madeAt: new Date(remote.created * 1000) };
}

async function compareAbsent(
  db: SecondRead['db'],
  { local, remote }: ReturnType<typeof kindNamed>,
  localId: string | null,
  askedFor: string | null,
): Promise<Reread> {
  const side = local as LocalSide<Local> | undefined;
  const recorded = localId === null || !side ? null : await side.byId(db, localId);
  if (recorded === null || !side) return { comparison: AGREES, changedAt: null, madeAt: null };
  const unasked = remote?.retrieve !== undefined && askedFor === null && side.stripeIdOf(recorded) !== null;
  return { comparison: side.compareAbsent(recorded), unasked, changedAt: recorded.updated_at, madeAt: recorded.made_at };
}

function verdictOf(
  context: SecondRead,
  suspect: OpenSuspect,
  { comparison, unasked, changedAt, madeAt, readAt, backlogMs }: Reread & { readAt: Date; backlogMs: number },
): Looked {
  const { number } = suspect;
  if (comparison.kind !== 'differs') return { number, verdict: 'agrees', findings: [], since: readAt, madeAt };
  const { findings } = comparison;
  // News that payments has and has not handled takes that much longer.
  const quietMs = context.quietMs + backlogMs;
  const since = suspect.since !== null && isSame(suspect.findings, findings) ? suspect.since : readAt;
  const counts = unasked !== true && isQuiet(quietMs, findings, readAt, [since, changedAt]);
  return { number, verdict: counts ? 'counts' : 'restless', findings, since, madeAt };
}

const isSame = (before: readonly Finding[] | null, now: readonly Finding[]): boolean => textOf(before ?? []) === textOf(now);

/** The database keeps an object's fields in an order of its own. */
const textOf = (findings: readonly Finding[]): string =>
  findings.map((one) => [one.class, one.object, one.local_id, one.payment_id, one.stripe_id, one.local, one.remote].join('|')).join('||');

/**
 * Whether nothing on its way can explain the findings: no call, which changes a status or is about to name the object at Stripe, and no news of a change
 * or of an object that is not known here. Neither changes an amount that was recorded. All is measured back from when Stripe was read: what changed
 * since then may be newer than Stripe's answer. Of usage payments knows itself what is under way.
 */
function isQuiet(quietMs: number, findings: readonly Finding[], readAt: Date, changes: readonly (Date | null)[]): boolean {
  return !findings.some(mayBeOnItsWay) || changes.every((at) => at === null || readAt.getTime() - at.getTime() >= quietMs);
}

const mayBeOnItsWay = (one: Finding): boolean =>
  !['amount_mismatch', 'currency_mismatch', 'duplicate_charge', 'usage_mismatch'].includes(one.class) &&
  !(one.class === 'missing_remote' && one.stripe_id !== null);
