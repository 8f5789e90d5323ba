import { setTimeout as delay } from 'node:timers/promises';
import type { SweepStatusView, SweepView } from '@tidegate/contracts/ops/webhook-sweeps';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { Failure } from '../exit.js';
import { facts } from '../output/table.js';
import { at, duration, pastTimeOrAge } from '../output/time.js';

interface Options extends CommonOptions {
  check?: true;
  since?: string;
  detach?: true;
}

const PATH = '/v1/ops/webhook-sweeps';
const LOOK_EVERY_MS = 300;

export function webhooksSweep(parent: Command, cli: Cli): void {
  looking(parent, {
    name: 'sweep',
    summary: "Read Stripe's list of events now, for deliveries that were lost",
    help: `With --check it only shows how far the list has been read. The same happens by itself every few minutes, from a little before the last time;
--since reads from further back. Stripe lists 30 days. Events of the last WEBHOOKS_SWEEP_SETTLE_SECONDS are left to their delivery.
Exit code 2: events were found that should have been delivered and never were; with --check: the sweep is overdue, or time was lost for good.`,
  })
    .option('--check', 'only show how far it is')
    .option('--since <when>', 'from then on: a time, or an age such as 7d; from a little before the last sweep unless given', pastTimeOrAge)
    .option('--detach', 'do not wait for its end')
    .option('--reason <text>', 'why; kept with who and when; needed unless --check')
    .option('--yes', 'do it without asking')
    .action(
      cli.run(async ({ check, since, detach, ...options }: Options) => {
        const status = await cli.client.get<SweepStatusView>(PATH);
        if (check) {
          cli.show(status, () => statusText(status));
          return status.overdue || status.unlisted_seconds > 0 ? 2 : 0;
        }
        const { reason } = options;
        if (!reason) throw new Failure('reason.missing', 'Say why with --reason, or only look with --check.');
        const { done, result } = await cli.change(
          options,
          {
            will: [
              `read Stripe's list of events ${since === undefined ? `from a little before ${at(status.swept_until)}` : `from ${at(since)}${isListed(since) ? '' : ', of which Stripe lists the last 30 days,'}`} to now`,
            ],
            act: async () => {
              const sweep = await cli.client.post<SweepView>(PATH, { reason, ...(since === undefined ? {} : { since }) });
              return detach ? sweep : follow(cli, sweep.id);
            },
          },
          sweepText,
        );
        if (!done) return 1;
        return result.missed > 0 ? 2 : 0;
      }),
    );
}

const isListed = (since: string): boolean => Date.parse(since) > Date.now() - 30 * 86_400_000;

async function follow(cli: Cli, id: string): Promise<SweepView> {
  const doing = "Reading Stripe's list of events";
  return cli.progress(doing, async (say) => {
    for (;;) {
      const sweep = await cli.client.get<SweepView>(`${PATH}/${id}`);
      say(`${doing}: up to ${at(sweep.swept_until)}, ${sweep.missed} missed`);
      if (sweep.status === 'completed') return sweep;
      await delay(LOOK_EVERY_MS);
    }
  });
}

/** What a regular sweep found before is not found again. */
const NOTHING_MISSED = { running: 'nothing yet', completed: 'nothing new' };

const sweepText = (sweep: SweepView): string =>
  facts([
    ['sweep', sweep.id],
    ['status', sweep.status],
    ['read', `${at(sweep.since)} to ${at(sweep.swept_until)}`],
    ['missed', sweep.missed === 0 ? NOTHING_MISSED[sweep.status] : `${sweep.missed} events that were never delivered`],
    ...(sweep.found > sweep.missed
      ? [['also new', `${sweep.found - sweep.missed} of types that Tidegate does not ask to have delivered`] as const]
      : []),
  ]);

const statusText = (status: SweepStatusView): string =>
  facts([
    ['read up to', `${at(status.swept_until)}, ${duration(status.behind_seconds)} ago`],
    ['last sweep', status.last_sweep_at === null ? null : at(status.last_sweep_at)],
    ['every', duration(status.every_seconds)],
    ['overdue', status.overdue ? `yes: further behind than ${duration(status.alarm_seconds)}` : 'no'],
    ['runway', `${duration(status.runway_seconds)} until Stripe no longer lists what was not read`],
    ['lost', status.unlisted_seconds === 0 ? 'nothing' : `${duration(status.unlisted_seconds)} were not read in time: reconcile them`],
    ['to retrieve', `${status.hints_waiting} events whose object is asked for`],
  ]);
