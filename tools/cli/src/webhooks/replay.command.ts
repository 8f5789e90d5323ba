import { setTimeout as delay } from 'node:timers/promises';
import type { ReplayOrderView, ReplayView } from '@tidegate/contracts/ops/webhook-events';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking, refuseIdsWithAll } from '../command.js';
import { Failure } from '../exit.js';
import { type EventOptions, filterOf, withEventOptions } from './event-options.js';
import { matchedText, previewLines, replayText } from './replay-text.js';

interface Options extends CommonOptions, EventOptions {
  all?: true;
  dryRun?: true;
  detach?: true;
}

const LOOK_EVERY_MS = 300;
/** After the last event is published: so long consumers are waited for. */
const HANDLED_WITHIN_MS = 30_000;

export function webhooksReplay(parent: Command, cli: Cli): void {
  const command = looking(parent, {
    name: 'replay',
    summary: 'Have events published once more, after a consumer was repaired',
    help: `Examples:
  tidegate webhooks replay --status failed --dry-run
  tidegate webhooks replay --status failed --type charge.refunded --since 24h --reason "fixed in 1.4.2"
  tidegate webhooks replay evt_… evt_… --reason "customer asks"

Each is marked as a replay: consumers that handled it leave it at that, those that failed at it handle it again. Nothing is sent to Stripe.
It goes on when this command ends: see webhooks replays, stop-replay, resume-replay. Exit code 2: some failed again, or are not handled yet.`,
  });
  withEventOptions(command)
    .argument('[ids...]', 'evt_…; or name them by the options')
    .option('--all', 'all there are')
    .option('--dry-run', 'only show which')
    .option('--detach', 'do not wait for its end')
    .option('--reason <text>', 'why; kept with who and when; needed unless --dry-run')
    .option('--yes', 'do it without asking')
    .action(
      cli.run(async (ids: string[], options: Options) => {
        refuseIdsWithAll(ids, options);
        const filter = { ...filterOf(options), ...(ids.length > 0 ? { ids } : {}) };
        if (!options.all && Object.keys(filter).length === 0)
          throw new Failure('filter.missing', 'Which? Give ids, --status, --type, --tenant, --object, --since, --until, or --all.');
        const reason = options.dryRun ? 'dry run' : options.reason;
        if (reason === undefined) throw new Failure('reason.missing', 'Say why with --reason, or only look with --dry-run.');
        const preview = await cli.client.post<ReplayOrderView>('/v1/ops/webhook-events/replay', { filter, reason, dry_run: true });
        const unknown = preview.not_found.map((id) => `${id}: there is no such event`);
        if (preview.matched === 0 || options.dryRun) {
          const text = preview.matched === 0 ? 'There is nothing to replay.' : previewLines(preview).join('\n');
          cli.show({ done: !options.dryRun, would: preview.matched === 0 ? [] : previewLines(preview), result: preview }, () =>
            [text, ...unknown].join('\n'),
          );
          return unknown.length > 0 ? 2 : 0;
        }
        const { done, result } = await cli.change(
          options,
          {
            will: previewLines(preview),
            beware: unknown,
            act: async () => {
              const { job } = await cli.client.command<ReplayOrderView>('/v1/ops/webhook-events/replay', { filter, reason });
              if (job === null) throw new Failure('replay.nothing', 'Meanwhile there is nothing to replay any more.');
              return options.detach ? look(cli, job) : follow(cli, job);
            },
          },
          replayText,
        );
        if (!done) return 1;
        return options.detach ? 0 : exitOf(result, unknown.length);
      }),
    );
}

const look = (cli: Cli, id: string) => cli.client.get<ReplayView>(`/v1/ops/webhook-replays/${id}`);

/** Until all its events are published, and a little longer for their consumers. */
async function follow(cli: Cli, id: string): Promise<ReplayView> {
  return cli.progress('Replaying', async (say) => {
    for (let publishedAt = Infinity; ;) {
      const job = await look(cli, id);
      say(`Replaying: ${job.taken - job.waiting} of ${matchedText(job)} published`);
      if (job.status !== 'running') publishedAt = Math.min(publishedAt, performance.now());
      const handled = unhandled(job) === 0;
      if (job.status === 'stopped' || (job.status === 'completed' && (handled || performance.now() - publishedAt > HANDLED_WITHIN_MS)))
        return job;
      await delay(LOOK_EVERY_MS);
    }
  });
}

const counted = (job: ReplayView, statuses: readonly string[]): number =>
  job.by_status.reduce((sum, { status, count }) => sum + (statuses.includes(status) ? count : 0), 0);
const unhandled = (job: ReplayView): number => counted(job, ['received', 'published']);
const exitOf = (job: ReplayView, unknown: number): 0 | 2 =>
  job.status === 'completed' && unhandled(job) + counted(job, ['failed', 'parked']) + unknown === 0 ? 0 : 2;
