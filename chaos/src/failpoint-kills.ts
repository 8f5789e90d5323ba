import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Arena } from './arena.js';
import { randomFrom } from './seed.js';
import { tellStories, type Surprise } from './story.js';

/**
 * Reached only when an answer is lost, a request refused or a document fails, which this load does not bring about: the services' own specs do.
 */
export const NEEDS_FAULTS = /^payments\.(request|retry|lookup|orphan|refresh|customer)\.|^receipts\.render\.fail\./;

const SERVICES = ['payments', 'webhooks', 'receipts', 'reconciliation'] as const;
type Service = (typeof SERVICES)[number];

export interface FailpointReport {
  killed: string[];
  /** Failpoints that no load reached in time: the run proves nothing about them. */
  missed: string[];
  surprises: Surprise[];
}

/** A failpoint is reached within this time by the load, or it counts as missed. */
const REACHED_WITHIN_MS = 30_000;

/**
 * kill -9 at each failpoint that `chosen` accepts, under a load that reaches them all: clients' stories, dropped deliveries (so that the sweep
 * and its look-ups run) and reconciliation runs. The replicas of a service share its list.
 */
export async function killAtFailpoints(
  arena: Arena,
  options: { seed: number; perSecond: number; chosen(name: string): boolean },
): Promise<FailpointReport> {
  const over = new AbortController();
  await arena.fault({ fault: 'webhook_drop', probability: 0.05, seed: options.seed });
  const load = tellStories(arena.client, randomFrom(options.seed), {
    count: Number.MAX_SAFE_INTEGER,
    perSecond: options.perSecond,
    signal: over.signal,
  });
  const runs = reconcileUntil(arena, over.signal);
  const report: FailpointReport = { killed: [], missed: [], surprises: [] };
  const rounds = await Promise.allSettled(
    SERVICES.map((service) => killService(arena, service, failpointsOf(arena, service).filter(options.chosen), report)),
  );
  over.abort();
  const [log] = await Promise.all([load, runs]);
  await arena.clearFaults();
  for (const round of rounds) if (round.status === 'rejected') throw round.reason as Error;
  return { ...report, surprises: log.surprises };
}

const failpointsOf = (arena: Arena, service: Service): string[] =>
  (JSON.parse(readFileSync(join(arena.stack.dir, 'failpoints.json'), 'utf8')) as string[]).filter((name) => name.startsWith(`${service}.`));

/** Reached only by the replica that leads the loop: it must be the only one alive, or another goes on leading. */
const LEADERS_ONLY = /\.(relay|sweep)\.|^reconciliation\.run\.(read|finish)/;

async function killService(arena: Arena, service: Service, names: readonly string[], report: FailpointReport): Promise<void> {
  const replicas = arena.stack.urls[service].map((_, i) => i + 1);
  const everyones = names.filter((name) => !LEADERS_ONLY.test(name));
  await Promise.all(
    replicas.map((replica, i) =>
      killAtEach(
        arena,
        service,
        replica,
        everyones.filter((_, n) => n % replicas.length === i),
        report,
      ),
    ),
  );
  const [first, ...others] = replicas;
  await Promise.all(others.map((replica) => arena.stack.kill(service, replica, 'SIGTERM')));
  await killAtEach(
    arena,
    service,
    first!,
    names.filter((name) => LEADERS_ONLY.test(name)),
    report,
  );
  await Promise.all(others.map((replica) => arena.stack.restart(service, replica)));
}

async function killAtEach(
  arena: Arena,
  service: Service,
  replica: number,
  names: readonly string[],
  report: FailpointReport,
): Promise<void> {
  for (const name of names) {
    // It may well die at its failpoint before it is ready.
    await arena.stack.restart(service, replica, { TIDEGATE_FAILPOINT: `${name}:kill` }).catch(() => undefined);
    const died = await Promise.race([arena.stack.exited(service, replica), pause(REACHED_WITHIN_MS, undefined, { ref: false })]);
    (died?.signal === 'SIGKILL' ? report.killed : report.missed).push(name);
  }
  await arena.stack.restart(service, replica);
}

/** Orders a run each second, so that the failpoints of reconciliation are reached. */
async function reconcileUntil(arena: Arena, signal: AbortSignal): Promise<void> {
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
