import { accessSync, constants, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DISCREPANCY_CLASSES, type DiscrepancyView, type RunView } from '@tidegate/contracts/responses';
import { type Command, InvalidArgumentError } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { type ExitCode, Failure } from '../exit.js';
import { isDay } from '../output/time.js';
import { rowsText, runText } from './run-text.js';
import { RUNS_OF_ALL } from './runs.command.js';

interface Options extends CommonOptions {
  startDate: string;
  endDate: string;
  reportOnly?: true;
  repair?: string[];
  exportDiscrepancies?: string | true;
  detach?: true;
  everyTenant?: true;
}

const PATH = '/v1/reconciliation/runs';
const LOOK_EVERY_MS = 250;
/** A gateway that is replaced, or a service behind it, is back by then; the run goes on meanwhile, and whoever gave up would begin a second one. */
const AWAY_MS = 120_000;
const MOST_SHOWN = 50;
const DAY_MS = 86_400_000;

export function reconcileRun(parent: Command, cli: Cli): void {
  const classes = DISCREPANCY_CLASSES.join(', ');
  parent
    .command('run', { isDefault: true })
    .description('Compare days with Stripe, and repair what is named')
    .option('--json', 'one JSON document on stdout, for scripts')
    .addHelpText(
      'after',
      `
Waits for the end of the run and shows what it found. Without --repair it only reports.
Classes: ${classes}.
Exit code 0: both sides agree; 2: there are discrepancies that were not repaired; 1: the run failed, or nothing was done.`,
    )
    .option('--start-date <date>', 'first day, in UTC, or 3d for three days ago; yesterday unless given', day, daysAgo(1))
    .option('--end-date <date>', 'last day, included; today unless given', day, daysAgo(0))
    .option('--report-only', 'change nothing, which is so unless --repair is given')
    .option('--repair <classes>', 'repair discrepancies of these classes, comma-separated, or all', classList)
    .option('--export-discrepancies [file]', 'write them to a file, .json or else CSV; without a file, CSV on stdout')
    .option('--every-tenant', 'of every tenant, as the daily run is; else of the tenant of the key')
    .option('--detach', 'do not wait for its end')
    .option('--reason <text>', 'why; kept with who and when; needed with --repair')
    .option('--yes', 'do it without asking')
    .action(
      cli.run(async (options: Options): Promise<ExitCode> => {
        if (options.repair && options.reportOnly) throw new Failure('options.contradict', 'Either --report-only or --repair.');
        if (options.repair && !options.reason) throw new Failure('reason.missing', 'Say why with --reason.');
        if (options.exportDiscrepancies && options.everyTenant)
          throw new Failure('options.contradict', 'Discrepancies of every tenant are exported by each tenant.');
        if (options.exportDiscrepancies && options.detach)
          throw new Failure('options.contradict', 'What is found is known at the end: without --detach.');
        if (options.exportDiscrepancies === true && options.repair)
          throw new Failure('options.contradict', 'Name a file to export to beside --repair.');
        if (options.exportDiscrepancies === true && options.json)
          throw new Failure('options.contradict', 'Name a file to export to beside --json.');
        if (typeof options.exportDiscrepancies === 'string') refuseUnwritable(resolve(cli.terminal.cwd, options.exportDiscrepancies));
        return options.repair ? repaired(cli, options, options.repair) : reported(cli, options);
      }),
    );
}

/** A run is not done for a file that nobody can write. One that is there, such as /dev/stdout, may be written where none can be made. */
function refuseUnwritable(file: string): void {
  const there = statSync(file, { throwIfNoEntry: false });
  if (there?.isDirectory()) throw new Failure('options.contradict', `${file} is a folder; name a file to export to.`);
  accessSync(there ? file : dirname(file), constants.W_OK);
}

async function reported(cli: Cli, options: Options): Promise<ExitCode> {
  const done = await carriedOut(cli, options, 'report', null);
  if (options.exportDiscrepancies !== true) cli.show(done, () => text(done));
  else if (done.run.status === 'failed') cli.note(text(done));
  return exitCodeOf(done);
}

async function repaired(cli: Cli, options: Options, classes: string[]): Promise<ExitCode> {
  const what = classes.length === 0 ? 'every discrepancy that can be repaired' : `discrepancies of ${classes.join(', ')}`;
  const { done, result } = await cli.change(
    options,
    {
      will: [
        `compare ${options.startDate} to ${options.endDate} with Stripe`,
        `have ${what} repaired: payments believes Stripe about each`,
      ],
      act: () => carriedOut(cli, options, 'repair', classes.length === 0 ? null : classes),
    },
    text,
  );
  return done ? exitCodeOf(result) : 1;
}

interface Done {
  run: RunView;
  data: DiscrepancyView[];
  has_more: boolean;
}

async function carriedOut(cli: Cli, options: Options, mode: 'report' | 'repair', classes: string[] | null): Promise<Done> {
  const { startDate: start_date, endDate: end_date, reason = 'asked for by command', exportDiscrepancies } = options;
  const path = options.everyTenant ? RUNS_OF_ALL : PATH;
  const body = { start_date, end_date, mode, reason, ...(classes === null ? {} : { classes }) };
  const made = await cli.client.command<RunView>(path, body);
  if (options.detach) return { run: made, data: [], has_more: false };
  const run = await follow(cli, `${path}/${made.id}`);
  if (run.status === 'succeeded' && exportDiscrepancies !== undefined) await exported(cli, run.id, exportDiscrepancies);
  return { run, ...(await cli.client.list<DiscrepancyView>(`${path}/${run.id}/discrepancies`, {}, MOST_SHOWN)) };
}

function follow(cli: Cli, path: string): Promise<RunView> {
  return cli.bar('Comparing with Stripe', async (show) => {
    for (let answeredAt = Date.now(); ; await delay(LOOK_EVERY_MS)) {
      const run = await cli.client.get<RunView>(path).catch((error: unknown) => {
        if (isPassing(error) && Date.now() - answeredAt < AWAY_MS) return null;
        throw error;
      });
      if (run === null) continue;
      answeredAt = Date.now();
      const { percent, pages, objects, phase } = run.progress;
      show(percent, `${phase.replace('_', ' ')}: ${pages} pages, ${objects} objects`);
      if (run.status !== 'running') return run;
    }
  });
}

const isPassing = (error: unknown): boolean => error instanceof Failure && (error.code === 'gateway.away' || (error.status ?? 0) >= 500);

/** All of them, over as many pages as it takes. */
async function exported(cli: Cli, id: string, file: string | true): Promise<void> {
  const rows = `${PATH}/${id}/discrepancies`;
  if (typeof file === 'string' && file.endsWith('.json')) {
    const { data } = await cli.client.list<DiscrepancyView>(rows, {}, Infinity);
    return writeFileSync(resolve(cli.terminal.cwd, file), `${JSON.stringify(data, null, 2)}\n`);
  }
  const csv = await cli.client.text(`${rows}.csv`);
  if (file === true) return cli.terminal.out(csv);
  writeFileSync(resolve(cli.terminal.cwd, file), csv);
  cli.note(`Discrepancies are in ${file}.`);
}

const text = ({ run, data, has_more }: Done): string => runText(run) + rowsText(data, has_more);

/** What payments was asked to put right is not left; whether it is right, the next run tells. */
const exitCodeOf = ({ run, data, has_more }: Done): ExitCode => {
  if (run.status === 'failed') return 1;
  return has_more || data.some((row) => !row.applied) ? 2 : 0;
};

function day(value: string): string {
  const ago = /^(\d{1,3})d$/.exec(value)?.[1];
  if (ago !== undefined) return daysAgo(Number(ago));
  if (!/^\d{4}-\d\d-\d\d$/.test(value) || !isDay(value)) throw new InvalidArgumentError('Write a day as 2026-11-21.');
  return value;
}

const daysAgo = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);

/** Empty: all of them. */
function classList(value: string): string[] {
  if (value === 'all') return [];
  const names = value.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !(DISCREPANCY_CLASSES as readonly string[]).includes(name));
  if (unknown !== undefined) throw new InvalidArgumentError(`There is no class ${unknown}: ${DISCREPANCY_CLASSES.join(', ')}, or all.`);
  return names;
}
