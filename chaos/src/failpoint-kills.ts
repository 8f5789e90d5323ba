import { randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Arena } from './arena.js';
import { provocationOf, storyTo } from './provocations.js';
import { type Random, randomFrom } from './seed.js';
import { emptyLog, type StoryLog, type Surprise } from './step.js';
import { type Kind, tellStories } from './story.js';

const SERVICES = ['payments', 'webhooks', 'receipts', 'reconciliation'] as const;
type Service = (typeof SERVICES)[number];

/** Reached only when a document cannot be made, which nothing from outside brings about: receipts' own end-to-end spec kills there. */
const NEEDS_FAILING_DOCUMENT = /^receipts\.render\.fail\./;

/** Only an operator brings these about; the spec of messaging kills there. */
const NEEDS_AN_OPERATOR = /^\w+\.event_replay\./;

/** What `npm run chaos -- failpoints` kills at. */
export const reachable = (name: string): boolean =>
  SERVICES.some((service) => name.startsWith(`${service}.`)) && !NEEDS_FAILING_DOCUMENT.test(name) && !NEEDS_AN_OPERATOR.test(name);

/** Every step of a request, and the inbox, in the service that moves money: what `npm test` kills at with the whole of Tidegate around. */
export const ofAPayment = (name: string): boolean =>
  /^payments\.(create|confirm|capture|cancel|refund|payments-stripe-events)\./.test(name);

export interface FailpointReport {
  killed: string[];
  /** Failpoints that no load reached in time: the run proves nothing about them. */
  missed: string[];
  surprises: Surprise[];
}

/** One of the armed failpoints is reached within this time by the load, or they count as missed. What is behind after many deaths comes first. */
const REACHED_WITHIN_MS = 180_000;

/**
 * kill -9 at each failpoint that `chosen` accepts, under a load that reaches them all: clients' stories, those first that lead to a failpoint
 * which is waited for, dropped deliveries (so that the sweep and its look-ups run), reconciliation runs, and what provokes recovery. The
 * replicas of a service share its list.
 */
export async function killAtFailpoints(
  arena: Arena,
  options: { seed: number; perSecond: number; chosen(name: string): boolean; say(line: string): void },
): Promise<FailpointReport> {
  const over = new AbortController();
  const random = randomFrom(options.seed);
  await arena.fault({ fault: 'webhook_drop', probability: 0.05, seed: options.seed });
  const hunt: Hunt = { arena, random, waitedFor: new Set(), killed: [], missed: [], provoking: [], log: emptyLog(), say: options.say };
  const load = tellStories(arena, random, {
    count: Number.MAX_SAFE_INTEGER,
    perSecond: options.perSecond,
    signal: over.signal,
    next: () => storyWanted(hunt),
  });
  const runs = reconcileUntil(hunt, over.signal);
  const rounds = await Promise.allSettled(
    SERVICES.map((service) => killService(hunt, service, failpointsOf(arena, service).filter(options.chosen))),
  );
  over.abort();
  const [log] = await Promise.all([load, runs, ...hunt.provoking]);
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
  provoking: Promise<void>[];
  /** Of the stories that were told to provoke. */
  log: StoryLog;
  say(line: string): void;
}

/** Half of the stories lead to a failpoint that is waited for. */
function storyWanted({ waitedFor, random }: Hunt): Kind | undefined {
  const wanted = [...waitedFor].flatMap((name) => storyTo(name) ?? []);
  return wanted.length > 0 && random.chance(0.5) ? random.pick(wanted) : undefined;
}

const failpointsOf = (arena: Arena, service: Service): string[] =>
  (JSON.parse(readFileSync(join(arena.stack.dir, 'failpoints.json'), 'utf8')) as string[]).filter((name) => name.startsWith(`${service}.`));

/**
 * Reached for certain only by a replica that is the only one alive: with others, another may lead the loop, or be the one that carries a
 * payment on after a lost answer.
 */
const ALONE =
  /\.(relay|sweep|parked)\.|^reconciliation\.(run\.(read|finish)|balance\.)|^payments\.(retry|lookup|orphan|refresh|usage)\.|^payments\.(checkout|customer)\.(submitted|look|payment_adopted|late)/;

async function killService(hunt: Hunt, service: Service, names: readonly string[]): Promise<void> {
  const { stack } = hunt.arena;
  const replicas = stack.urls[service].map((_, i) => i + 1);
  const anybodys = names.filter((name) => !ALONE.test(name));
  await Promise.all(
    replicas.map((replica, i) =>
      killAtEach(
        hunt,
        service,
        replica,
        anybodys.filter((_, n) => n % replicas.length === i),
      ),
    ),
  );
  const alone = names.filter((name) => ALONE.test(name));
  if (alone.length === 0) return;
  const [first, ...others] = replicas;
  await Promise.all(others.map((replica) => stack.kill(service, replica, 'SIGTERM')));
  await killAtEach(hunt, service, first!, alone);
  await Promise.all(others.map((replica) => stack.restart(service, replica)));
}

/** All that are left are armed at once, so that whatever comes first kills: waiting for one after the other would take several times as long. */
async function killAtEach(hunt: Hunt, service: Service, replica: number, names: readonly string[]): Promise<void> {
  const left = new Set(names);
  for (const name of names) hunt.waitedFor.add(name);
  while (left.size > 0) {
    const name = await killedAt(hunt, service, replica, [...left]);
    if (name === undefined) hunt.missed.push(...left);
    else hunt.killed.push(name);
    for (const one of name === undefined ? left : [name]) {
      left.delete(one);
      hunt.waitedFor.delete(one);
    }
    const [died, missed] = [hunt.killed.length, hunt.missed.length];
    hunt.say(
      `  killed at ${died}, ${name ?? `${service}-${replica} at none in time`}${missed > 0 ? `; ${missed} never reached` : ''}; ${hunt.waitedFor.size} of those now armed are left`,
    );
  }
  if (names.length > 0) await hunt.arena.stack.restart(service, replica);
}

/** Starts the replica, armed with all of these, and waits for its death; answers where it died, undefined when it reached none of them in time. */
async function killedAt(hunt: Hunt, service: Service, replica: number, armed: readonly string[]): Promise<string | undefined> {
  const { stack } = hunt.arena;
  const { log } = stack.processes().find((one) => one.name === service && one.replica === replica)!;
  const written = statSync(log).size;
  // It may well die at its failpoint before it is ready.
  const TIDEGATE_FAILPOINT = armed.map((name) => `${name}:kill`).join(',');
  await stack.restart(service, replica, { TIDEGATE_FAILPOINT }).catch(() => undefined);
  const reached = new AbortController();
  hunt.provoking.push(provokeUntil(hunt, armed, reached.signal));
  const died = await Promise.race([stack.exited(service, replica), pause(REACHED_WITHIN_MS, undefined, { ref: false })]);
  reached.abort();
  if (!died) return undefined;
  const said = readFileSync(log).subarray(written).toString('utf8');
  const name = armed.findLast((one) => said.includes(`"event":"failpoint_hit","name":"${one}"`));
  if (died.signal === 'SIGKILL' && name !== undefined) return name;
  throw new Error(`${service}-${replica} ended by itself (${died.signal ?? `code ${died.code}`}): ${said.slice(-2000)}`);
}

/** Each attempt is one of what leads to these failpoints, in turn. It is not waited for: a client may go on asking while all replicas are dead. */
async function provokeUntil({ arena, random, log }: Hunt, names: readonly string[], reached: AbortSignal): Promise<void> {
  const provocations = [...new Set(names.flatMap((name) => provocationOf(name) ?? []))];
  for (let turn = 0; provocations.length > 0 && !reached.aborted; turn++) {
    // Stripe may know more than we do just now, and a story may end early: the next attempt comes soon.
    const provoke = provocations[turn % provocations.length]!;
    await provoke(arena, random, { ...emptyLog(), surprises: log.surprises }).catch(() => undefined);
    await pause(500, undefined, { signal: reached }).catch(() => undefined);
  }
}

/** Orders runs, one after the other, as long as a failpoint of reconciliation's runs is waited for: a backlog of them would only delay the end. */
export async function reconcileUntil({ arena, waitedFor }: Pick<Hunt, 'arena' | 'waitedFor'>, signal: AbortSignal): Promise<void> {
  const today = new Date().toISOString().slice(0, 10);
  while (!signal.aborted) {
    if ((await runsUnderWay(arena)) === 0 && [...waitedFor].some((name) => name.startsWith('reconciliation.run.')))
      await arena.client.once({
        method: 'POST',
        path: '/v1/reconciliation/runs',
        key: randomUUID(),
        body: { start_date: today, end_date: today, mode: 'report', reason: 'chaos' },
      });
    await pause(1_000, undefined, { signal }).catch(() => undefined);
  }
}

async function runsUnderWay({ sql }: Pick<Arena, 'sql'>): Promise<number> {
  const [found] = await sql<{ count: string }>("SELECT count(*) FROM reconciliation.runs WHERE status = 'running'");
  return Number(found?.count);
}
