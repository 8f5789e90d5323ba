import type { EventReplayDetail } from '@tidegate/contracts/ops/event-replays';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';
import { swapIn } from './replay.command.js';
import { countsText, total } from './replay-text.js';
import { human } from './show.command.js';

type Options = CommonOptions & { reason: string };

/** What can be done with a replay that was begun: swap it in, or end it. */
export function eventsChanges(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'swap',
    summary: 'Replace the rows in which a replay that is ready differs',
    help: 'What came since is replayed first, so it may differ in more rows than it did.',
  })
    .argument('<id>', 'evr_…')
    .action(
      cli.run(async (id: string, options: Options) => {
        const path = encodeURIComponent(id);
        const { differences, tables } = await cli.client.get<EventReplayDetail>(`/v1/ops/event-replays/${path}`);
        const will = [`replace ${total(differences)} rows of ${tables.join(', ')} (${countsText(differences)})`];
        const { done } = await cli.change(options, { will, act: () => swapIn(cli, path, options.reason) }, human);
        return done ? 0 : 1;
      }),
    );
  changing(parent, { name: 'stop', summary: 'End a replay without a change, and drop what it built' })
    .argument('<id>', 'evr_…')
    .action(
      cli.run(async (id: string, options: Options) => {
        const path = `/v1/ops/event-replays/${encodeURIComponent(id)}`;
        const { status, consumer } = await cli.client.get<EventReplayDetail>(path);
        const act = () => cli.client.post<EventReplayDetail>(`${path}/stop`, { reason: options.reason });
        const { done } = await cli.change(
          options,
          { will: [`end the replay of ${consumer} (${status} now)`], act },
          (after) => `It is ${after.status}.\n`,
        );
        return done ? 0 : 1;
      }),
    );
}
