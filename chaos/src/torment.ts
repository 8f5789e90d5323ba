import { setTimeout as pause } from 'node:timers/promises';
import { type ServiceName } from '@tidegate/local-stack/stack/services';
import { type Arena } from './arena.js';
import { drillBreakers } from './breaker-drills.js';
import { PAST_THE_WINDOW_SECONDS } from './checkout-story.js';
import { actInDashboard } from './dashboard-acts.js';
import { annoyances, failpointHits, failpointNames } from './failpoint-hits.js';
import { ofAPayment, reachable, reconcileUntil } from './failpoint-kills.js';
import { FaultWindows } from './fault-windows.js';
import { provocationOf, storyTo } from './provocations.js';
import { type Random, randomFrom } from './seed.js';
import { emptyLog, type StoryLog } from './step.js';
import { EVERY_KIND, type Kind, tellStories, tellStory } from './story.js';
import { type Annoyed, FailpointKiller, RandomKiller, type Victim } from './torment-kills.js';

export interface TormentOptions {
  seed: number;
  /** Stories to tell at least; more are told until every fault was hit. */
  payments: number;
  perSecond: number;
  /** Each fault and each failpoint is to be hit this often. */
  hitsEach: number;
  /** SIGKILLs at random instants. */
  kills: number;
  say?(line: string): void;
}

export interface TormentReport extends StoryLog {
  /** Processes that were killed at a random instant. */
  kills: number;
  /** Failpoints of a payment's requests and of its inbox at which a process was killed. */
  killedAt: string[];
  /** Times that operators held back calls. */
  drills: number;
  /** Faults and failpoints that were hit too seldom: the run proves nothing about them. */
  missed: string[];
}

const AFTER_THE_STORIES_MS = 240_000;
const PROVOKED_WITHIN_MS = 120_000;
const SAY_EVERY_MS = 30_000;
const HURRY_EVERY_MS = 500;
const HURRY_SECONDS = 4;
const ofASubscription = (name: string): boolean => /^payments\.(subscription|billing)\./.test(name);
/** How likely a request is sent twice at once. */
const TWICE = 0.15;
/** More stories in a second than this only wait for each other while so much goes wrong. */
const MOST_PER_SECOND = 20;

/**
 * A seeded random run over all that can go wrong at once: clients tell stories and repeat themselves, people act in the dashboard and pay on Stripe's pages,
 * the fault menu goes round, operators hold back calls, time jumps past windows, every failpoint holds up or fails, a process dies at each failpoint of a payment,
 * and others are killed at random. It ends with faults cleared and nothing compared yet. The plan follows from the seed; what the operating system does in
 * between does not.
 */
export async function torment(arena: Arena, options: TormentOptions): Promise<TormentReport> {
  const { seed, hitsEach, payments, kills, say = () => undefined } = options;
  const random = randomFrom(seed);
  const names = failpointNames(arena).filter(reachable);
  const chance = randomFrom(seed + 1);
  const annoyed: Annoyed = (service, except) =>
    annoyances(
      names.filter((name) => name.startsWith(`${service}.`) && !except.includes(name)),
      hitsEach,
      chance,
    );
  const others = victims(arena, ['webhooks', 'receipts', 'reconciliation']);
  await Promise.all(
    others.map(({ service, replica }) => arena.stack.restart(service, replica, { TIDEGATE_FAILPOINT: annoyed(service, []) })),
  );

  const log = emptyLog();
  const over = new AbortController();
  const windows = new FaultWindows(arena, randomFrom(seed + 2));
  const hunter = new FailpointKiller(arena, victims(arena, ['payments']), names.filter(ofAPayment), annoyed);
  const killer = new RandomKiller(arena, randomFrom(seed + 3), annoyed, kills);
  let hunting = true;
  const hunt = hunter.until(over.signal).then(() => void (hunting = false));
  const anybody = [...victims(arena, ['gateway', 'payments']), ...others];
  const around = Promise.all([
    hunt,
    windows.until(over.signal, hitsEach),
    killer.until(over.signal, anybody, (victim) => hunter.isHunted(victim)),
    actInDashboard(arena, randomFrom(seed + 4), log, over.signal),
    reconcileUntil({ arena, waitedFor: new Set(names) }, over.signal),
  ]);
  const allTold = new AbortController();
  const hurried = hurry(arena, allTold.signal);
  const drills = drillBreakers(arena, randomFrom(seed + 5), over.signal);
  // A subscription's life passes more failpoints than any story: it begins with them, and ends undisturbed afterwards.
  const lives = provoke(
    { arena, random: randomFrom(seed + 6), log },
    { names: names.filter(ofASubscription), times: hitsEach },
    over.signal,
  );
  // Whatever breaks off is told at the end, when nobody is at work any more.
  around.catch(() => over.abort());
  hurried.catch(() => over.abort());

  let told = 0;
  const next = (): Kind => {
    told += 1;
    const wanted = [...hunter.waitedFor].flatMap((name) => storyTo(name) ?? []);
    return wanted.length > 0 && random.chance(0.3) ? random.pick(wanted) : random.pick(EVERY_KIND);
  };
  const perSecond = Math.min(options.perSecond, MOST_PER_SECOND);
  const stories = tellStories(arena, random, { count: Infinity, perSecond, log, twice: TWICE, next, signal: over.signal });
  const until = (isSo: () => boolean, giveUpAt = Infinity) => comesAbout(() => over.signal.aborted || Date.now() > giveUpAt || isSo());
  const faultsLeft = (): string[] => windows.missing(hitsEach);
  const left = (): string => `${killer.kills} of ${kills} kills; ${hunter.missed.length} failpoints and ${faultsLeft().length} faults left`;
  const saying = setInterval(() => say(`  ${told} of ${payments} stories begun, ${left()}`), SAY_EVERY_MS);
  over.signal.addEventListener('abort', () => clearInterval(saying));
  await until(() => told >= payments / 2);
  await arena.advance(PAST_THE_WINDOW_SECONDS);
  await until(() => told >= payments);
  say(`${told} stories begun; missing: ${faultsLeft().join(', ') || 'no fault'}; ${hunter.missed.length} kills left`);
  await until(() => faultsLeft().length === 0 && !hunting && killer.kills >= kills, Date.now() + AFTER_THE_STORIES_MS);
  over.abort();
  await around;
  const drilled = await drills;
  await arena.clearFaults();
  await arena.resetBreakers();
  // Those that were under way end undisturbed.
  await Promise.all([stories, lives]);
  allTold.abort();
  await hurried;
  const missedFaults = faultsLeft().map((fault) => `fault ${fault}`);
  say(`${hunter.killed.length + killer.kills} kills, ${missedFaults.length} faults missed; what failpoints are left is provoked`);
  const missedPoints = await provokeMissing(arena, random, log, { names, times: hitsEach, say });
  const missedKills = hunter.missed.map((name) => `kill at ${name}`);
  return {
    ...log,
    kills: killer.kills,
    killedAt: hunter.killed,
    drills: drilled,
    missed: [...missedFaults, ...missedKills, ...missedPoints],
  };
}

async function comesAbout(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(100);
}

/** Time goes several times as fast, so that look-ups and retries come round soon; slowly enough for windows and deadlines to mean something. */
async function hurry(arena: Arena, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await pause(HURRY_EVERY_MS, undefined, { signal: over }).catch(() => undefined);
    await arena.advance(HURRY_SECONDS);
  }
}

const victims = (arena: Arena, services: readonly ServiceName[]): Victim[] =>
  services.flatMap((service) => arena.stack.urls[service].map((_, i) => ({ service, replica: i + 1 })));

/** What the stories did not come across by themselves is brought about, with runs of reconciliation beside it; answers what was not reached in time. */
async function provokeMissing(
  arena: Arena,
  random: Random,
  log: StoryLog,
  { names, times, say }: { names: readonly string[]; times: number; say(line: string): void },
): Promise<string[]> {
  const over = new AbortController();
  const runs = reconcileUntil({ arena, waitedFor: new Set(names) }, over.signal);
  const inTime = AbortSignal.timeout(PROVOKED_WITHIN_MS);
  const missing = () => seldomHit(arena, names, times);
  say(`not reached yet: ${missing().join(', ')}`);
  await provoke({ arena, random, log }, { names, times }, inTime);
  await comesAbout(() => inTime.aborted || missing().length === 0);
  over.abort();
  await runs;
  await arena.clearFaults();
  return missing();
}

/** Repeats what leads to each of these failpoints that was hit too seldom, all side by side, until it was hit or `over` aborts. */
async function provoke(
  { arena, random, log }: { arena: Arena; random: Random; log: StoryLog },
  { names, times }: { names: readonly string[]; times: number },
  over: AbortSignal,
): Promise<void> {
  const ways = Map.groupBy(seldomHit(arena, names, times), (name) => provocationOf(name) ?? storyTo(name));
  await Promise.all(
    [...ways].map(async ([way, reached]) => {
      while (way !== undefined && !over.aborted && seldomHit(arena, reached, times).length > 0) {
        // Stripe may know more than we do just now: the next attempt comes soon.
        await (typeof way === 'string' ? tellStory(arena, random, log, way) : way(arena, random, log).catch(() => undefined));
        await pause(200);
      }
    }),
  );
}

function seldomHit(arena: Arena, names: readonly string[], times: number): string[] {
  const hits = failpointHits(arena);
  return names.filter((name) => (hits.get(name) ?? 0) < times);
}
