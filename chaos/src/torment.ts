import { setTimeout as pause } from 'node:timers/promises';
import { type Arena } from './arena.js';
import { actInDashboard } from './dashboard-acts.js';
import { annoyances, failpointHits, failpointNames } from './failpoint-hits.js';
import { reachable, reconcileUntil } from './failpoint-kills.js';
import { FaultWindows } from './fault-windows.js';
import { provocationOf, storyTo } from './provocations.js';
import { type Random, randomFrom } from './seed.js';
import { type StoryLog, tellStories, tellStory } from './story.js';

export interface TormentOptions {
  seed: number;
  /** Stories to tell at least; more are told until every fault was hit. */
  payments: number;
  perSecond: number;
  /** Each fault and each failpoint is to be hit this often. */
  hitsEach: number;
  say?(line: string): void;
}

export interface TormentReport extends StoryLog {
  kills: number;
  /** Faults and failpoints that were hit too seldom: the run proves nothing about them. */
  missed: string[];
}

const SERVICES = ['payments', 'webhooks', 'receipts', 'reconciliation'] as const;
const PROVOKED_WITHIN_MS = 60_000;

/**
 * A seeded random run over all that can go wrong at once: clients tell stories and repeat themselves, people act in the dashboard, the fault menu goes round,
 * every failpoint holds up or fails, and processes are killed. It ends with faults cleared and nothing compared yet. The plan follows from the seed; what the
 * operating system does in between does not.
 */
export async function torment(arena: Arena, options: TormentOptions): Promise<TormentReport> {
  const { seed, hitsEach, say = () => undefined } = options;
  const random = randomFrom(seed);
  const names = failpointNames(arena).filter(reachable);
  const armed = (service: string): Record<string, string> => ({ TIDEGATE_FAILPOINT: annoyances(names, service, hitsEach, random) });
  await Promise.all(replicasOf(arena).map(({ service, replica }) => arena.stack.restart(service, replica, armed(service))));

  const log: StoryLog = { created: [], surprises: [] };
  const over = new AbortController();
  const windows = new FaultWindows(arena, randomFrom(seed + 1));
  const killer = new Killer(arena, randomFrom(seed + 2), armed);
  const around = [
    windows.until(over.signal, hitsEach),
    killer.until(over.signal),
    actInDashboard(arena, randomFrom(seed + 3), log, over.signal),
    reconcileUntil({ arena, waitedFor: new Set(names) }, over.signal),
  ];
  await tellStories(arena.client, random, { count: options.payments, perSecond: options.perSecond, log });
  say(`${log.created.length} payments made`);
  await tellUntil(arena, random, log, () => windows.missing(hitsEach).length === 0);
  over.abort();
  await Promise.all(around);
  await arena.clearFaults();
  const missedFaults = windows.missing(hitsEach).map((fault) => `fault ${fault}`);
  const missedPoints = await provokeMissing(arena, random, log, names, hitsEach);
  return { ...log, kills: killer.kills, missed: [...missedFaults, ...missedPoints] };
}

const replicasOf = (arena: Arena) => SERVICES.flatMap((service) => arena.stack.urls[service].map((_, i) => ({ service, replica: i + 1 })));

/** More stories, for as long as it takes, within reason. */
async function tellUntil(arena: Arena, random: Random, log: StoryLog, done: () => boolean): Promise<void> {
  const giveUpAt = Date.now() + PROVOKED_WITHIN_MS;
  while (!done() && Date.now() < giveUpAt) await tellStories(arena.client, random, { count: 10, perSecond: 20, log });
}

/** What the stories did not come across by themselves is brought about, one failpoint after another. */
async function provokeMissing(arena: Arena, random: Random, log: StoryLog, names: readonly string[], times: number): Promise<string[]> {
  const missing = (): string[] => {
    const hits = failpointHits(arena);
    return names.filter((name) => (hits.get(name) ?? 0) < times);
  };
  const over = new AbortController();
  const runs = reconcileUntil({ arena, waitedFor: new Set(names) }, over.signal);
  const giveUpAt = Date.now() + PROVOKED_WITHIN_MS;
  for (let left = missing(); left.length > 0 && Date.now() < giveUpAt; left = missing()) {
    for (const name of left) {
      await provocationOf(name)?.(arena, random, log).catch(() => undefined);
      const story = storyTo(name);
      if (story) await tellStory(arena.client, random, log, story);
    }
    await pause(200);
  }
  over.abort();
  await runs;
  await arena.clearFaults();
  return missing();
}

/** SIGKILLs a process of chance now and then and starts it again, annoyed as before. */
class Killer {
  kills = 0;

  constructor(
    private readonly arena: Arena,
    private readonly random: Random,
    private readonly armed: (service: string) => Record<string, string>,
  ) {}

  async until(over: AbortSignal): Promise<void> {
    const { stack } = this.arena;
    while (!over.aborted) {
      await pause(500 + this.random.below(2_000), undefined, { signal: over }).catch(() => undefined);
      if (over.aborted) return;
      const { service, replica } = this.random.pick(replicasOf(this.arena));
      await stack.kill(service, replica);
      await stack.restart(service, replica, this.armed(service));
      this.kills += 1;
    }
  }
}
