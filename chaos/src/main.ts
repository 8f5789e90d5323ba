import { parseArgs } from 'node:util';
import { type Arena, openArena } from './arena.js';
import { killAtFailpoints, reachable } from './failpoint-kills.js';
import { killAtRandom } from './random-kills.js';

const USAGE = `Usage: npm run chaos -- kills [--count 300] [--seed N]
       npm run chaos -- failpoints [--seed N]`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: 'string', default: '300' }, seed: { type: 'string' } },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));

/** SIGKILLs at random instants under load, two replicas of each service, in rounds of 30 with a comparison after each. */
async function kills(): Promise<void> {
  const total = Number(values.count);
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
  const arena = await openArena({ replicas: { payments: 3 } });
  try {
    const report = await killAtFailpoints(arena, { seed, perSecond: 4, chosen: reachable });
    if (report.missed.length > 0) throw new Error(`Never reached: ${report.missed.join(', ')}`);
    await compare(arena, `${report.killed.length} failpoints`, report.surprises);
  } finally {
    await arena.close();
  }
}

async function compare(arena: Arena, what: string, surprises: readonly unknown[]): Promise<void> {
  if (surprises.length > 0) throw new Error(JSON.stringify(surprises, null, 2));
  const { payments } = await arena.settled(180_000);
  await arena.inboxesEven(180_000);
  console.log(`${what}; ${payments.length} payments equal the truth; every event once in every inbox`);
}

const run = { kills, failpoints }[positionals[0] ?? ''];
if (!run) {
  console.error(USAGE);
  process.exit(1);
}
console.log(`Seed ${seed}; --seed ${seed} repeats this run`);
await run().catch((error: unknown) => {
  console.error(`✗ seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
