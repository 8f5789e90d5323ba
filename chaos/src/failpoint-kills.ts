import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Arena } from './arena.js';
import { provocationOf, storyTo } from './provocations.js';
import { type Random, randomFrom } from './seed.js';
import { type Kind, type StoryLog, type Surprise, tellStories } from './story.js';

/** Reached only when a document cannot be made, which nothing from outside brings about: receipts' own end-to-end spec kills there. */
export const NEEDS_FAILING_DOCUMENT = /^receipts\.render\.fail\./;

const SERVICES = ['payments', 'webhooks', 'receipts', 'reconciliation'] as const;
type Service = (typeof SERVICES)[number];

export interface FailpointReport {
  killed: string[];
  /** Failpoints that no load reached in time: the run proves nothing about them. */
  missed: string[];
  surprises: Surprise[];
}

/** A failpoint is reached within this time by the load, or it counts as missed. */
const REACHED_WITHIN_MS = 60_000;

/**
 * kill -9 at each failpoint that `chosen` accepts, under a load that reaches them all: clients' stories, those first that lead to a failpoint
 * which is waited for, dropped deliveries (so that the sweep and its look-ups run), reconciliation runs, and what provokes recovery. The
 * replicas of a service share its list.
 */
export async function killAtFailpoints(
  arena: Arena,
  options: { seed: number; perSecond: number; chosen(name: string): boolean },
): Promise<FailpointReport> {
  const over = new AbortController();
  const random = randomFrom(options.seed);
  await arena.fault({ fault: 'webhook_drop', probability: 0.05, seed: options.seed });
  const hunt: Hunt = { arena, random, waitedFor: new Set(), killed: [], missed: [], log: { created: [], surprises: [] } };
  const load = tellStories(arena.client, random, {
    count: Number.MAX_SAFE_INTEGER,
    perSecond: options.perSecond,
    signal: over.signal,
    next: () => storyWanted(hunt),
  });
  const runs = reconcileUntil(arena, over.signal);
  const rounds = await Promise.allSettled(
    SERVICES.map((service) => killService(hunt, service, failpointsOf(arena, service).filter(options.chosen))),
  );
  over.abort();
  const [log] = await Promise.all([load, runs]);
  await arena.clearFaults();
  for (const round of rounds) if (round.status === 'rejected') throw round.reason as Error;
  return { killed: hunt.killed, missed: hunt.missed, surprises: [...log.surprises, ...hunt.log.surprises] };
}

interface Hunt {
  arena: Arena;
  random: Random;
  /** Failpoints at which a process is about to die. */
  waitedFor: Set<string>;
  killed: string[];
  missed: string[];
  /** Of the stories that were told to provoke. */
  log: StoryLog;
}

/** Half of the stories lead to a failpoint that is waited for. */
function storyWanted({ waitedFor, random }: Hunt): Kind | undefined {
  const wanted = [...waitedFor].flatMap((name) => storyTo(name) ?? []);
  return wanted.length > 0 && random.chance(0.5) ? random.pick(wanted) : undefined;
}

const failpointsOf = (arena: Arena, service: Service): string[] =>
  (JSON.parse(readFileSync(join(arena.stack.dir, 'failpoints.json'), 'utf8')) as string[]).filter((name) => name.startsWith(`${service}.`));

/** Reached only by the replica that leads the loop: it must be the only one alive, or another goes on leading. */
const LEADERS_ONLY = /\.(relay|sweep)\.|^reconciliation\.run\.(read|finish)/;

async function killService(hunt: Hunt, service: Service, names: readonly string[]): Promise<void> {
  const { stack } = hunt.arena;
  const replicas = stack.urls[service].map((_, i) => i + 1);
  const everyones = names.filter((name) => !LEADERS_ONLY.test(name));
  await Promise.all(
    replicas.map((replica, i) =>
      killAtEach(
        hunt,
        service,
        replica,
        everyones.filter((_, n) => n % replicas.length === i),
      ),
    ),
  );
  const leaders = names.filter((name) => LEADERS_ONLY.test(name));
  if (leaders.length === 0) return;
  const [first, ...others] = replicas;
  await Promise.all(others.map((replica) => stack.kill(service, replica, 'SIGTERM')));
  await killAtEach(hunt, service, first!, leaders);
  await Promise.all(others.map((replica) => stack.restart(service, replica)));
}

async function killAtEach(hunt: Hunt, service: Service, replica: number, names: readonly string[]): Promise<void> {
  const { stack } = hunt.arena;
  for (const name of names) {
    hunt.waitedFor.add(name);
    // It may well die at its failpoint before it is ready.
    await stack.restart(service, replica, { TIDEGATE_FAILPOINT: `${name}:kill` }).catch(() => undefined);
    const reached = new AbortController();
    const provoking = provokeUntil(hunt, name, reached.signal);
    const died = await Promise.race([stack.exited(service, replica), pause(REACHED_WITHIN_MS, undefined, { ref: false })]);
    reached.abort();
    await provoking;
    hunt.waitedFor.delete(name);
    (died?.signal === 'SIGKILL' ? hunt.killed : hunt.missed).push(name);
  }
  if (names.length > 0) await stack.restart(service, replica);
}

async function provokeUntil({ arena, random, log }: Hunt, name: string, reached: AbortSignal): Promise<void> {
  const provoke = provocationOf(name);
  while (provoke && !reached.aborted) {
    // Stripe may know more than we do just now, and a story may end early: the next attempt comes soon.
    await provoke(arena, random, log).catch(() => undefined);
    await pause(500, undefined, { signal: reached }).catch(() => undefined);
  }
}

/** Orders a run each second, so that the failpoints of reconciliation are reached. */
export async function reconcileUntil(arena: Arena, signal: AbortSignal): Promise<void> {
  const today = new Date().toISOString().slice(0, 10);
  while (!signal.aborted) {
    await arena.client.once({
      method: 'POST',
      path: '/v1/reconciliation/runs',
      key: randomUUID(),
      body: { start_date: today, end_date: today, mode: 'report', reason: 'chaos' },
    });
    await pause(1_000, undefined, { signal }).catch(() => undefined);
  }
}
