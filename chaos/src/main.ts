import type { PaymentView } from '@tidegate/contracts/responses';
import { type Arena, openArena } from './arena.js';
import { killServersOfCluster, lostFromStreams } from './cluster-kills.js';
import { deployed } from './rolling-arena.js';
import { killAtFailpoints, reachable } from './failpoint-kills.js';
import { objectsKnown, stormOver } from './arena-storm.js';
import { cleanUnderTraffic } from './clean-runs.js';
import { history, ordinaryDays } from './history.js';
import { keptSeeds, keptWhenItFails } from './kept-seeds.js';
import { replayDrill } from './replay-drill.js';
import { killAtRandom } from './random-kills.js';
import { randomFrom } from './seed.js';
import { otherBytes, type StoryLog } from './step.js';
import { type ChaosOptions, parseChaosOptions, USAGE } from './options.js';
import { followUnderKills } from './stream-kills.js';
import { torment } from './torment.js';
import { workedOff } from './on-its-way.js';
import { unanswered } from './unanswered.js';
import { callsBehindClosedDoors } from './closed-doors.js';
import { TORMENTED } from './torment-arena.js';

const options = readOptions();
const { seed } = options;

/** SIGKILLs at random instants under load, two replicas of each service, in rounds of 30 with a comparison after each. */
async function kills(): Promise<void> {
  const total = options.count ?? 300;
  const arena = await openArena({ replicas: { gateway: 2, payments: 2, webhooks: 2, receipts: 2, reconciliation: 2 } });
  try {
    for (let done = 0; done < total;) {
      const report = await killAtRandom(arena, { seed: seed + done, kills: Math.min(30, total - done), perSecond: 10, replicas: 2 });
      done += Math.min(30, total - done);
      await compare(arena, `${done}/${total} kills`, report.surprises);
    }
  } finally {
    await arena.close();
  }
}

/** SIGKILL at every failpoint of every service; what recovers from a lost answer is brought about. */
async function failpoints(): Promise<void> {
  const arena = await openArena({ replicas: { payments: 3 }, env: { '*': { LATE_SUCCESS_POLICY: 'refund' } } });
  try {
    const report = await killAtFailpoints(arena, { seed, perSecond: 4, chosen: reachable, say: (line) => console.log(line) });
    if (report.missed.length > 0) throw new Error(`Never reached: ${report.missed.join(', ')}`);
    await compare(arena, `${report.killed.length} failpoints`, report.surprises);
  } finally {
    await arena.close();
  }
}

/** The random run over everything at once, in rounds with a comparison after each; every fault and failpoint is hit three times in each. */
async function payments(): Promise<void> {
  const total = options.amount ?? 50000;
  for (const one of options.kept ? keptSeeds() : [seed]) await keptWhenItFails(one, () => tormented(one, total));
}

/** Events in random order, each one to five times, a tenth never delivered but listed: after the sweep everybody knows what Stripe knows. */
async function events(): Promise<void> {
  const arena = await openArena({ replicas: { webhooks: 2, payments: 2 } });
  try {
    const say = (line: string) => console.log(line);
    const report = await stormOver(arena, randomFrom(seed), options.amount ?? 100000, say);
    console.log(`${report.events} events, ${report.deliveries} deliveries, ${report.lost} events never delivered`);
    await workedOff(arena, FEW, say);
    console.log(`${await objectsKnown(arena, AFTERMATH_MS)} objects are known as Stripe has them`);
    const { payments: known } = await arena.settled(AFTERMATH_MS);
    await arena.inboxesEven(AFTERMATH_MS);
    console.log(`${known.length} payments equal the truth; every event once in every inbox`);
  } finally {
    await arena.close();
  }
}

/** What is left when nearly all of a storm is worked off. */
const FEW = 50;
const AFTERMATH_MS = 1_200_000;
const ROUND = 5_000;

async function tormented(seed: number, total: number): Promise<void> {
  const arena = await openArena(TORMENTED);
  try {
    for (let made = 0; made < total;) {
      const wanted = Math.min(ROUND, total - made);
      const report = await torment(arena, {
        seed: seed + made,
        payments: wanted,
        perSecond: 25,
        hitsEach: 3,
        kills: Math.min(wanted, 300),
        say: (line) => console.log(line),
      });
      if (report.missed.length > 0) throw new Error(`Hit too seldom: ${report.missed.join(', ')}`);
      made += wanted;
      const kills = report.kills + report.killedAt.length;
      await compare(arena, `${made}/${total} stories told, ${kills} kills, ${report.drills} breaker drills`, report.surprises);
      await comparePromises(arena, report);
    }
  } finally {
    await arena.close();
  }
}

/** Events that a consumer failed at are replayed once it is repaired, under SIGKILLs of the service that replays them. */
async function replay(): Promise<void> {
  const arena = await openArena({ services: ['gateway', 'webhooks'], replicas: { webhooks: 2 } });
  try {
    const { events, kills, seconds } = await replayDrill(arena, { events: options.amount ?? 10000, seed });
    console.log(
      `${events} failed events replayed in ${seconds.toFixed(1)} s under ${kills} kills; each took effect once, Stripe was sent nothing`,
    );
  } finally {
    await arena.close();
  }
}

/** Every payment that a client was told of is known, every request has its answer, and a repetition gets the bytes of before. */
async function comparePromises(arena: Arena, { created, answered }: StoryLog): Promise<void> {
  const known = new Set((await arena.client.all<PaymentView>('/v1/payments')).map(({ id }) => id));
  const lost = created.filter((id) => !known.has(id));
  const wrong = await otherBytes(arena.client, answered);
  const open = await unanswered(arena);
  const { calls } = await callsBehindClosedDoors(arena);
  const faults = [...lost.map((id) => `${id} is lost`), ...wrong, ...open, ...calls];
  if (faults.length > 0) throw new Error(faults.slice(0, 20).join('\n'));
  console.log(`  ${answered.length} answers again in the same bytes`);
}

/** The billing stream over killed connections, killed gateways and a broker that loses its store: each published event once and in order. */
async function stream(): Promise<void> {
  const [events, kills] = [options.amount ?? 10000, options.count ?? 100];
  const arena = await openArena({ replicas: { gateway: 2, payments: 2 }, env: { gateway: { BILLING_STREAM_HEARTBEAT_SECONDS: '1' } } });
  try {
    const report = await followUnderKills(arena, { seed, events, kills });
    if (report.faults.length > 0) throw new Error([`${report.faults.length} faults`, ...report.faults].slice(0, 20).join('\n'));
    console.log(
      `${report.events} events once and in order over ${report.kills} killed connections, ${report.gatewaysKilled} killed gateways and a lost broker`,
    );
  } finally {
    await arena.close();
  }
}

/** A NATS cluster of three, one server killed at a time under load: nothing is lost, not even from the streams. */
async function cluster(): Promise<void> {
  const arena = await openArena({ natsCluster: true, replicas: { gateway: 2, payments: 2 } });
  try {
    const kills = options.count ?? 10;
    const { surprises, created, leadersKilled } = await killServersOfCluster(arena, { seed, kills, perSecond: 10 });
    await compare(arena, `${kills} servers killed (${leadersKilled} led), ${created} payments under way`, surprises);
    const lost = await lostFromStreams(arena);
    if (lost.length > 0) throw new Error(lost.join('\n'));
    console.log('  every published event is in its stream');
  } finally {
    await arena.close();
  }
}

/** Payments and checkouts in every state, made while runs look at them: no run names anything. */
async function clean(): Promise<void> {
  // As in production: news of what a run sees at Stripe may take that long to arrive.
  const patient = { RECONCILIATION_QUIET_SECONDS: '25', RECONCILIATION_CRON: 'off', RECONCILIATION_ROLLING_SECONDS: '0' };
  const arena = await openArena({ env: { reconciliation: patient } });
  try {
    const count = options.amount ?? 10000;
    const { made, runs, objects } = await cleanUnderTraffic(arena, randomFrom(seed), { count, say: (line) => console.log(line) });
    console.log(`${made} payments and checkouts in every state; ${runs} runs, the last over ${objects} objects, named nothing`);
  } finally {
    await arena.close();
  }
}

/** Days of life with outages, kills and replays: ledger, counters and Stripe agree to the cent, and a run over all of it names nothing. */
async function days(): Promise<void> {
  const arena = await openArena({
    env: {
      '*': { USAGE_REPORT_SECONDS: '1' },
      reconciliation: { RECONCILIATION_CRON: 'off', RECONCILIATION_ROLLING_SECONDS: '0', RECONCILIATION_FEES_SECONDS: '2' },
    },
  });
  try {
    const wanted = options.amount ?? 30;
    const random = randomFrom(seed);
    const report = await history(arena, random, ordinaryDays(wanted, random), (line) => console.log(line));
    console.log(
      `${wanted} days with ${report.payments} payments, ${report.usageEvents} events of usage, ${report.payouts} payouts, ${report.outages} outages and ${report.replays} replays; ledger, counters and Stripe agree to the cent`,
    );
  } finally {
    await arena.close();
  }
}

/** This version is deployed over an earlier one under load, taken back, and deployed again: no request fails. */
async function rolling(): Promise<void> {
  const { commit, report, payments } = await deployed({ seed, perSecond: 10, ref: options.ref });
  const { replaced, requests, created } = report;
  console.log(
    `${replaced} processes replaced over ${commit}; ${requests} requests, none failed; ${created} of ${payments} payments made meanwhile; all equal the truth`,
  );
}

async function compare(arena: Arena, what: string, surprises: readonly unknown[]): Promise<void> {
  if (surprises.length > 0) throw new Error(JSON.stringify(surprises, null, 2));
  const { payments } = await arena.settled(180_000);
  await arena.inboxesEven(180_000);
  console.log(`${what}; ${payments.length} payments equal the truth; every event once in every inbox`);
}

function readOptions(): ChaosOptions {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) {
    console.log(USAGE);
    process.exit(0);
  }
  try {
    return parseChaosOptions(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(1);
  }
}

const run = { kills, failpoints, payments, replay, events, stream, cluster, clean, history: days, rolling }[options.run];
console.log(`Seed ${seed}; --seed ${seed} repeats this run`);
await run().catch((error: unknown) => {
  console.error(`✗ seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
