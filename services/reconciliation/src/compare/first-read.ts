import { type Position, type PageRead, recordPage } from '../run/progress.store.js';
import type { Period } from '../run/period.decide.js';
import type { CompareRules } from './finding.js';
import { KINDS } from './kinds.js';
import type { AnyKind, CompareDb, CompareStripe, KindPage, Local, LocalSide, Remote, RemoteSide, RunScope, Suspect } from './kind.js';
import { readPatiently } from './patient-stripe.js';
import { NOBODY, tenantsOf } from './tenants-of.js';
import type { UsageComparer } from './usage.port.js';

/** What a run compares, and with what. */
export interface CompareContext extends RunScope {
  db: CompareDb;
  stripe: CompareStripe;
  usage: UsageComparer;
  rules: CompareRules;
  patienceMs: number;
  runId: string;
  attempt: number;
  period: Period;
  stopping: AbortSignal;
  /** Called from time to time: it is still at work. */
  alive(): void;
}

const LOCAL_PAGE = 500;
/** How much of a run's work is the reading of Stripe's lists, and of what is recorded; the rest is the second read. */
const LISTING = 0.85;
const RECORDED = 0.05;

const listed = KINDS.filter((kind) => kind.remote);
const recorded = KINDS.filter((kind) => kind.local);

/** Where the first read begins. */
export const FIRST_LIST = listed[0]!.name;

/**
 * Reads every page of Stripe's lists of the period, from `from` on, and looks up what is recorded for each object; then what is recorded of the period and was
 * on no page. Holds one page and the next one, which is read meanwhile; what it finds, and where it is, is recorded with each page. Throws StripeUnanswered when a page
 * cannot be read.
 */
export async function firstRead(context: CompareContext, from: Position): Promise<void> {
  let at = from;
  let ahead: Promise<Listed> | null = null;
  while (at.phase === 'listing' || at.phase === 'recorded') {
    const { phase, kind: name } = at;
    const kind = (phase === 'listing' ? listed : recorded).find((one) => one.name === name);
    if (!kind) throw new Error(`Bug: nothing reads ${name}`);
    if (phase === 'listing' && kind.isWanted?.(context) === false) {
      at = afterList(kind);
      continue;
    }
    let page: PageRead;
    if (phase === 'listing') {
      const told: Listed = await (ahead ?? list(context, kind, at.cursor));
      ahead = told.goOn === null ? null : list(context, kind, told.goOn);
      // Whoever waits for it hears of its failure; when nobody does any more, nobody need.
      ahead?.catch(() => undefined);
      page = await readListed(context, kind, told);
    } else page = await readRecorded(context, kind, at.cursor ?? '');
    await recordPage(context.db, context, page);
    context.alive();
    at = page.next;
  }
}

/** A page of a list, and where the next one begins; null after the last. */
interface Listed {
  page: KindPage<Remote>;
  goOn: string | null;
}

async function list(context: CompareContext, kind: AnyKind, cursor: string | null): Promise<Listed> {
  const side = kind.remote as RemoteSide<Remote, Local>;
  const query = { created: context.period, limit: 100, ...(cursor === null ? {} : { starting_after: cursor }) };
  const page: KindPage<Remote> | null = await readPatiently(() => side.list(context.stripe, query, { ...context, cursor }), context);
  if (page === null) throw new Error('Bug: Stripe has no such list');
  const last = page.data.at(-1) ?? null;
  return { page, goOn: page.ours ? page.ours.cursor : page.has_more && last ? last.id : null };
}

async function readListed(context: CompareContext, kind: AnyKind, { page, goOn }: Listed): Promise<PageRead> {
  const next: Position = goOn === null ? afterList(kind) : { phase: 'listing', kind: kind.name, cursor: goOn };
  return {
    ...(await lookAt(context, kind, kind.remote as RemoteSide<Remote, Local>, page.data)),
    ...(page.ours ? { pages: page.ours.pages ?? 0, objects: page.ours.objects } : { pages: 1 }),
    next,
    done: doneOf(context, kind, goOn === null || page.ours ? null : (page.data.at(-1) ?? null)),
  };
}

/** What one page of Stripe's says beside what is recorded. */
async function lookAt(context: CompareContext, kind: AnyKind, side: RemoteSide<Remote, Local>, remotes: readonly Remote[]) {
  const rows = await side.recordedFor(context.db, remotes);
  const isMissed = (remote: Remote) => !rows.has(remote.id) && side.compare(null, remote, context.rules).kind === 'differs';
  const tenants = await tenantsOf(context, remotes, rows, isMissed);
  const seen: string[] = [];
  const suspects: (Suspect & { remote: Remote; recorded: Local | null })[] = [];
  const tallies: Record<string, number> = {};
  const count = (name: string) => (tallies[name] = (tallies[name] ?? 0) + 1);
  for (const remote of remotes) {
    const row = rows.get(remote.id) ?? null;
    const tenant = tenants.get(remote.id)!;
    if (tenant === NOBODY) {
      if (side.countsForeign) count('foreign');
      continue;
    }
    if (context.tenant !== null && tenant !== context.tenant) continue;
    if (row && kind.local && side.isOf(row, remote)) seen.push((kind.local as LocalSide<Local>).idOf(row));
    const tally = side.tally?.(remote);
    if (tally) count(tally);
    const comparison = side.compare(row, remote, context.rules);
    if (comparison.kind === 'foreign' && side.countsForeign) count('foreign');
    if (comparison.kind === 'differs') suspects.push({ ...suspectOf(kind, row, remote), tenant, remote, recorded: row });
  }
  const unrecorded = suspects.filter((one) => one.recorded === null).map((one) => one.remote);
  const explained = unrecorded.length > 0 ? await side.explained?.(context.db, unrecorded) : undefined;
  const named = suspects.map(({ remote, recorded: _, ...suspect }) => ({ ...suspect, ...explained?.get(remote.id) }));
  return { object: kind.name, objects: remotes.length, seen, suspects: named, tallies };
}

function suspectOf(kind: AnyKind, row: Local | null, remote: Remote): Omit<Suspect, 'tenant'> {
  const own = kind.remote?.suspectOf?.(row, remote) as Omit<Suspect, 'tenant'> | undefined;
  return own ?? { object: kind.name as Suspect['object'], local_id: row && kind.local ? kind.local.idOf(row) : null, stripe_id: remote.id };
}

async function readRecorded(context: CompareContext, kind: AnyKind, after: string): Promise<PageRead> {
  const side = kind.local as LocalSide<Local>;
  const page = await side.unseen(context.db, { ...context, limit: LOCAL_PAGE, after });
  const suspects = page
    // What Stripe cannot know by any id is decided without asking.
    .filter((row) => side.stripeIdOf(row) !== null || side.compareAbsent(row).kind === 'differs')
    .map((row) => ({
      object: kind.name as Suspect['object'],
      tenant: row.tenant,
      local_id: side.idOf(row),
      stripe_id: side.stripeIdOf(row),
    }));
  const last = page.at(-1);
  const more = page.length === LOCAL_PAGE && last;
  const next: Position = more ? { phase: 'recorded', kind: kind.name, cursor: side.idOf(last) } : afterRecorded(kind);
  const done = LISTING + (RECORDED * recorded.indexOf(kind)) / recorded.length;
  return { object: kind.name, pages: 0, objects: 0, seen: [], suspects, tallies: {}, next, done };
}

function afterList(kind: AnyKind): Position {
  const next = listed[listed.indexOf(kind) + 1];
  return next ? { phase: 'listing', kind: next.name, cursor: null } : { phase: 'recorded', kind: recorded[0]!.name, cursor: null };
}

function afterRecorded(kind: AnyKind): Position {
  const next = recorded[recorded.indexOf(kind) + 1];
  return next ? { phase: 'recorded', kind: next.name, cursor: null } : { phase: 'second_read', kind: null, cursor: null };
}

/** Lists are newest first, so the time of a page's last object tells how much of the period has been read. */
function doneOf({ period }: CompareContext, kind: AnyKind, last: Remote | null): number {
  const ofList = last === null ? 1 : Math.min(1, Math.max(0, (period.lt - last.created) / Math.max(1, period.lt - period.gte)));
  return (LISTING * (listed.indexOf(kind) + ofList)) / listed.length;
}
