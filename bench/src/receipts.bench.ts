import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { median, percentile } from './measure.js';

/**
 * Documents a second on one core: the receipt of three items as Tidegate makes it (composed, set by Typst in its worker thread, PDF/A-2b, fonts embedded), beside the same
 * receipt set by hand with pdfkit and an embedded font, each in a process of its own, rounds interleaved, every document another one. The rate is by processor
 * time, so that a second core does not count. Then memory: what is resident after 20,000 documents, against 2,000.
 * Limits: 1.1 times the memory, and 10 times pdfkit's rate: the aim of 300 a second is that of a machine on which pdfkit makes 30.
 */
const ROUNDS = 5;
const DOCUMENTS = { ours: 200, reference: 40 } as const;
const [EARLY, LATE] = [2000, 20_000];
const MOST_GROWTH = 1.1;
const LEAST_RATIO = 10;

interface Answer {
  seconds: number;
  cpuSeconds: number;
  rss: number;
  bytes: number;
}
type Side = keyof typeof DOCUMENTS;

const sides = { ours: start('ours'), reference: start('reference') };
const rates: Record<Side, number[]> = { ours: [], reference: [] };
const took: number[] = [];
for (const side of ['ours', 'reference'] as const) await sides[side].make(DOCUMENTS[side]);
for (let round = 1; round <= ROUNDS; round += 1)
  for (const side of ['reference', 'ours'] as const) {
    const { cpuSeconds, seconds, bytes } = await sides[side].make(DOCUMENTS[side]);
    rates[side].push(DOCUMENTS[side] / cpuSeconds);
    if (side === 'ours') took.push((seconds / DOCUMENTS[side]) * 1000);
    console.log(
      `round ${round} ${side.padEnd(9)} ${(DOCUMENTS[side] / cpuSeconds).toFixed(0).padStart(5)} a second of processor  ${(DOCUMENTS[side] / seconds).toFixed(0).padStart(5)} a second  ${(bytes / 1024).toFixed(0)} KiB each`,
    );
  }
sides.reference.end();

let done = (ROUNDS + 1) * DOCUMENTS.ours;
const resident: Record<number, number> = {};
for (const target of [EARLY, LATE]) {
  while (done < target) {
    const { rss } = await sides.ours.make(Math.min(1000, target - done));
    done += Math.min(1000, target - done);
    resident[target] = rss;
  }
  console.log(`resident after ${done} documents: ${(resident[target]! / 2 ** 20).toFixed(0)} MiB`);
}
sides.ours.end();

const growth = resident[LATE]! / resident[EARLY]!;
const [ours, reference] = [median(rates.ours), median(rates.reference)];
took.sort((a, b) => a - b);
console.log(
  JSON.stringify({
    bench: 'receipts',
    ours: Math.round(ours),
    reference: Math.round(reference),
    ratio: Number((ours / reference).toFixed(2)),
    p50_ms: Number(percentile(took, 0.5).toFixed(2)),
    p99_ms: Number(percentile(took, 0.99).toFixed(2)),
    rss_growth: Number(growth.toFixed(3)),
  }),
);
if (ours < LEAST_RATIO * reference) {
  console.error(`${(ours / reference).toFixed(1)} times as many as pdfkit; at least ${LEAST_RATIO} times are wanted.`);
  process.exitCode = 1;
}
if (growth > MOST_GROWTH) {
  console.error(`Memory grew ${growth.toFixed(2)} times from ${EARLY} to ${LATE} documents; at most ${MOST_GROWTH} is allowed.`);
  process.exitCode = 1;
}

function start(side: Side) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./receipts-side.js', import.meta.url)), side], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: Interface = createInterface(child.stdout);
  const died = once(child, 'exit').then(([code]) => Promise.reject(new Error(`The side "${side}" ended with ${code}`)));
  died.catch(() => undefined);
  return {
    async make(documents: number): Promise<Answer> {
      child.stdin.write(`${documents}\n`);
      const [line] = (await Promise.race([once(lines, 'line'), died])) as [string];
      return JSON.parse(line) as Answer;
    },
    end: () => child.stdin.end(),
  };
}
