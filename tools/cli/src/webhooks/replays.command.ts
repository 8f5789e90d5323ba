import type { ReplayView } from '@tidegate/contracts/ops/webhook-events';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { count } from '../output/time.js';
import { replaysTable, replayText } from './replay-text.js';

export function webhooksReplays(parent: Command, cli: Cli): void {
  looking(parent, {
    name: 'replays',
    summary: 'Replays that were ordered, the newest first, or one of them',
    help: 'Exit code 2: one is stopped.',
  })
    .argument('[id]', 'rpl_…')
    .option('--limit <n>', 'most rows', count, 20)
    .action(
      cli.run(async (id: string | undefined, { limit }: CommonOptions & { limit: number }) => {
        if (id !== undefined) {
          const job = await cli.client.get<ReplayView>(`/v1/ops/webhook-replays/${encodeURIComponent(id)}`);
          cli.show(job, () => replayText(job));
          return job.status === 'stopped' ? 2 : 0;
        }
        const page = await cli.client.list<ReplayView>('/v1/ops/webhook-replays', {}, limit);
        cli.show(page, () =>
          page.data.length === 0 ? 'There are none.\n' : replaysTable(page.data) + (page.has_more ? 'There are more: --limit.\n' : ''),
        );
        return page.data.some((job) => job.status === 'stopped') ? 2 : 0;
      }),
    );
}
