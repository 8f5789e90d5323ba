import { parseArgs } from 'node:util';
import { openArena } from './arena.js';
import { inboxFaults } from './inboxes.js';
import { killAtRandom } from './random-kills.js';

/** `npm run chaos -- kills [--count 300] [--seed N]`: the long form of the random kills in the end-to-end tests. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: 'string', default: '300' }, seed: { type: 'string' } },
});
if (positionals[0] !== 'kills') {
  console.error('Usage: npm run chaos -- kills [--count 300] [--seed N]');
  process.exit(1);
}
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const total = Number(values.count);
console.log(`Seed ${seed}: repeat this run with  npm run chaos -- kills --count ${total} --seed ${seed}`);

const arena = await openArena({ replicas: { gateway: 2, payments: 2, webhooks: 2, receipts: 2, reconciliation: 2 } });
try {
  for (let done = 0; done < total;) {
    const kills = Math.min(30, total - done);
    const report = await killAtRandom(arena, { seed: seed + done, kills, perSecond: 10, replicas: 2 });
    done += kills;
    const { payments } = await arena.settled(120_000);
    const faults = await inboxFaults(arena);
    if (report.surprises.length + faults.length > 0) throw new Error(JSON.stringify({ surprises: report.surprises, faults }, null, 2));
    console.log(`${done}/${total} kills; ${payments.length} payments equal the truth; every event once in every inbox`);
  }
} catch (error) {
  console.error(`✗ seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await arena.close();
}
