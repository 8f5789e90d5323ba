import { setTimeout as delay } from 'node:timers/promises';
import { STRIPE_EVENT_CONSUMERS } from '@tidegate/contracts/events/stripe-event-handled';
import type { DeadLetterList } from '@tidegate/contracts/ops/dead-letters';
import type { HoldView } from '@tidegate/contracts/ops/hold';
import type { SweepView } from '@tidegate/contracts/ops/webhook-sweeps';
import type { DiscrepancyView, RunView } from '@tidegate/contracts/responses';
import { type Command, Option } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';
import { Failure } from '../exit.js';
import { facts } from '../output/table.js';
import { at, durationSeconds } from '../output/time.js';
import { HOLD, holdText } from './status.command.js';

interface Options extends CommonOptions {
  reason: string;
  openAnyway?: true;
  /** Seconds. */
  wait: number;
}

interface Finished {
  opened: boolean;
  events: number;
  /** Whether every consumer has handled every event since the backup. */
  handled: boolean;
  runs: number;
  /** The last of them: `reconcile status ID` shows what it found. */
  last_run: string;
  left: Record<string, number>;
  /** Pages at Stripe whose checkouts are lost: what was paid on them is on record, and the request that opened one, repeated, gets it. */
  pages: number;
}

const SWEEPS = '/v1/ops/webhook-sweeps';
const RUNS = '/v1/ops/reconciliation/runs';
const EVENTS = '/v1/ops/webhook-events';
const LOOK_EVERY_MS = 500;
/** Lists are asked from a little before the backup: what was on its way then stands on neither side of it. */
const OVERLAP_MS = 15 * 60_000;
/** A repair tells payments what Stripe says; what follows from that (a receipt, the ledger) shows in the run after it. */
const MOST_RUNS = 6;
const MOST_PAGES = 100_000;
/** Counted, and never anybody's to repair. */
const NOT_OURS = new Set(['foreign', 'fee_pending', 'usage_not_compared']);

export function restoreFinish(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'finish',
    summary: 'Find at Stripe what the record lacks since the restore, then take requests again',
    help: `Reads Stripe's events since the backup and waits until they are handled, then compares every list since then, of every tenant, repairing what differs, until a comparison
finds nothing more. Only then is the hold released. Exit code 2: something is left, and requests stay held; --open-anyway takes them again, and what is left stays in the last run.`,
  })
    .addOption(
      new Option('--wait <duration>', 'how long what Stripe told of may take to be handled, before somebody has to see why')
        .argParser(durationSeconds)
        .default(600, '10m'),
    )
    .option('--open-anyway', 'take requests again although something is left')
    .action(
      cli.run(async ({ openAnyway, wait, ...options }: Options) => {
        const hold = await cli.client.get<HoldView>(HOLD);
        if (!hold.held || hold.restore_point === null) {
          cli.show(hold, () => holdText(hold));
          return 0;
        }
        const since = hold.restore_point;
        const { done, result } = await cli.change(
          options,
          {
            will: [
              `read Stripe's events since ${at(since)} and have them handled`,
              'compare payments, charges, refunds, disputes, checkouts, receipts and the ledger of every tenant since then, and repair what differs',
              'take requests again, once nothing differs',
            ],
            act: () => finish(cli, since, options.reason, { openAnyway: openAnyway === true, waitMs: wait * 1000 }),
          },
          finishedText,
        );
        if (!done) return 1;
        return result.opened && result.handled && Object.keys(result.left).length === 0 ? 0 : 2;
      }),
    );
}

async function finish(
  cli: Cli,
  since: string,
  reason: string,
  { openAnyway, waitMs }: { openAnyway: boolean; waitMs: number },
): Promise<Finished> {
  const from = new Date(Date.parse(since) - OVERLAP_MS).toISOString();
  const sweep = await cli.client.post<SweepView>(SWEEPS, { reason, since: from });
  const swept = await until(
    () => cli.client.get<SweepView>(`${SWEEPS}/${sweep.id}`),
    ({ status }) => status === 'completed',
  );
  // A refund of an older payment is told by its event alone: before that is handled, a client's repetition would make another.
  const handled = await isHandled(cli, from, Date.now() + waitMs);
  let found: Compared = { left: {}, pages: 0, last_run: '' };
  let runs = 0;
  while (runs < MOST_RUNS) {
    runs += 1;
    found = await compared(cli, from, reason);
    if (Object.keys(found.left).length === 0) break;
  }
  const opened = (handled && Object.keys(found.left).length === 0) || openAnyway;
  if (opened) await cli.client.post<HoldView>(`${HOLD}/release`, { reason });
  return { opened, events: swept.found, handled, runs, ...found };
}

/** Whether every event since then has been published, every consumer has said what it made of it, and nothing that one gave up waits for a person. */
function isHandled(cli: Cli, from: string, giveUpAt: number): Promise<boolean> {
  const query = new URLSearchParams({ unhandled: 'true', created_gte: from, limit: '1' });
  return until(
    async () => (await cli.client.get<{ data: unknown[] }>(`${EVENTS}?${query}`)).data.length === 0 && (await nothingGivenUp(cli)),
    (done) => done || Date.now() > giveUpAt,
  );
}

async function nothingGivenUp(cli: Cli): Promise<boolean> {
  for (const consumer of STRIPE_EVENT_CONSUMERS) {
    const { data, unavailable } = await cli.client.get<DeadLetterList>(
      `/v1/ops/dead-letters?${new URLSearchParams({ consumer, limit: '1' })}`,
    );
    if (data.length + unavailable.length > 0) return false;
  }
  return true;
}

type Compared = Pick<Finished, 'left' | 'pages' | 'last_run'>;

/** One run that repairs; what it found, by class. */
async function compared(cli: Cli, from: string, reason: string): Promise<Compared> {
  const body = { start_date: from.slice(0, 10), end_date: new Date().toISOString().slice(0, 10), mode: 'repair', reason };
  const made = await cli.client.command<RunView>(RUNS, body);
  const run = await until(
    () => cli.client.get<RunView>(`${RUNS}/${made.id}`),
    ({ status }) => status !== 'running',
  );
  if (run.status === 'failed') throw new Failure('restore.run_failed', `${run.reason}; nothing was opened. Try again.`);
  const pages = (run.counts['checkout_mismatch'] ?? 0) > 0 ? await lostPages(cli, run.id) : 0;
  const counts = Object.entries(run.counts).map(([name, count]): [string, number] => [
    name,
    name === 'checkout_mismatch' ? count - pages : count,
  ]);
  return { left: Object.fromEntries(counts.filter(([name, count]) => count > 0 && !NOT_OURS.has(name))), pages, last_run: run.id };
}

/** Nobody can make a checkout of a page: what its request said besides is in no object of Stripe's. */
async function lostPages(cli: Cli, run: string): Promise<number> {
  const { data } = await cli.client.list<DiscrepancyView>(`${RUNS}/${run}/discrepancies`, { class: 'checkout_mismatch' }, MOST_PAGES);
  return data.filter(({ object, local }) => object === 'checkout_session' && local === null).length;
}

async function until<T>(look: () => Promise<T>, ended: (found: T) => boolean): Promise<T> {
  for (;;) {
    const found = await look();
    if (ended(found)) return found;
    await delay(LOOK_EVERY_MS);
  }
}

const finishedText = ({ opened, events, handled, runs, last_run, left, pages }: Finished): string =>
  facts([
    ['requests', opened ? 'are taken again' : 'stay held'],
    [
      'events',
      `${events} were missing; ${handled ? 'all are handled' : 'some wait to be handled: tidegate webhooks list --unhandled, tidegate dead-letters list'}`,
    ],
    ['runs', `${runs}, the last is ${last_run}`],
    ...(pages === 0
      ? []
      : [['pages', `${pages} of lost checkouts; the request that opened one gets it when it is repeated`] as [string, string]]),
    [
      'left',
      Object.entries(left)
        .map(([name, count]) => `${name} ${count}`)
        .join(', ') || 'nothing',
    ],
  ]);
