import { parseArgs } from 'node:util';

const RUNS = ['kills', 'failpoints', 'payments', 'replay', 'events', 'stream', 'cluster', 'clean', 'history', 'rolling'] as const;
export type RunName = (typeof RUNS)[number];

export const USAGE = `Usage: npm run chaos -- kills [--count 300] [--seed N]
       npm run chaos -- failpoints [--seed N]
       npm run chaos -- payments [50000] [--seed N | --kept]
       npm run chaos -- replay [10000] [--seed N]
       npm run chaos -- events [100000] [--seed N]
       npm run chaos -- stream [10000] [--count 100] [--seed N]
       npm run chaos -- cluster [--count 10] [--seed N]
       npm run chaos -- clean [10000] [--seed N]
       npm run chaos -- history [30] [--seed N]
       npm run chaos -- rolling [REF] [--seed N]`;

export interface ChaosOptions {
  run: RunName;
  /** How many payments, events or days, when one was given. */
  amount: number | undefined;
  /** How many kills, when it was given. */
  count: number | undefined;
  /** The commit to deploy over. */
  ref: string | undefined;
  seed: number;
  /** The seeds of runs that failed, instead. */
  kept: boolean;
}

const TAKE_AMOUNT: readonly RunName[] = ['payments', 'replay', 'events', 'stream', 'clean', 'history'];
const TAKE_COUNT: readonly RunName[] = ['kills', 'stream', 'cluster'];

/** Reads the arguments of `npm run chaos --`. Throws an Error with one sentence for a wrong one. */
export function parseChaosOptions(args: readonly string[]): ChaosOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { count: { type: 'string' }, seed: { type: 'string' }, kept: { type: 'boolean', default: false } },
  });
  const [name = '', given, ...more] = positionals;
  const run = RUNS.find((one) => one === name);
  if (!run) throw new Error(name === '' ? 'Which run?' : `There is no run "${name}".`);
  if (more.length > 0) throw new Error(`Nobody knows what to do with ${more.join(' ')}.`);
  if (given !== undefined && run !== 'rolling' && !TAKE_AMOUNT.includes(run))
    throw new Error(`${run} takes no number there, but got ${given}.`);
  if (values.count !== undefined && !TAKE_COUNT.includes(run)) throw new Error(`${run} takes no --count.`);
  if (values.kept && (run !== 'payments' || values.seed !== undefined)) throw new Error('--kept is for payments, and takes no --seed.');
  return {
    run,
    amount: run === 'rolling' ? undefined : wholeNumber('How many', given, 1),
    count: wholeNumber('--count', values.count, 1),
    ref: run === 'rolling' ? given : undefined,
    seed: wholeNumber('--seed', values.seed, 0) ?? Math.floor(Math.random() * 2 ** 31),
    kept: values.kept,
  };
}

function wholeNumber(what: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value) || value < least) throw new Error(`${what} must be a whole number from ${least}, not "${text}".`);
  return value;
}
