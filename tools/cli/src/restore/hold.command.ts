import type { HoldView } from '@tidegate/contracts/ops/hold';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';
import { at, pastTimeOrAge } from '../output/time.js';
import { HOLD, holdText } from './status.command.js';

interface Options extends CommonOptions {
  since: string;
  reason: string;
}

export function restoreHold(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'hold',
    summary: 'Hold requests that move money: the database was restored by other means',
    help: '`restore load` places the hold itself. Begin a new epoch in the outboxes before services start, where the broker was lost, too: docs/restore.md.',
  })
    .requiredOption('--since <when>', 'the instant of the backup: a time, or an age such as 2h', pastTimeOrAge)
    .action(
      cli.run(async ({ since, ...options }: Options) => {
        const { done } = await cli.change<HoldView>(
          options,
          {
            will: [`answer requests that move money with 503, until \`restore finish\` has found what the record lacks since ${at(since)}`],
            act: () => cli.client.post<HoldView>(HOLD, { restore_point: since, reason: options.reason }),
          },
          holdText,
        );
        return done ? 0 : 1;
      }),
    );
}
