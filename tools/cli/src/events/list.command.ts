import type { EventReplayList } from '@tidegate/contracts/ops/event-replays';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { table } from '../output/table.js';
import { at, count } from '../output/time.js';
import { countsText } from './replay-text.js';

export function eventsList(parent: Command, cli: Cli): void {
  looking(parent, { name: 'list', summary: 'Replays of all services, newest first', help: 'Exit code 2: a service does not answer.' })
    .option('--limit <n>', 'most rows, at most 100', count, 20)
    .action(
      cli.run(async ({ limit }: CommonOptions & { limit: number }) => {
        const list = await cli.client.get<EventReplayList>('/v1/ops/event-replays', { limit: Math.min(100, limit) });
        const silent = list.unavailable.map((name) => `${cli.paint.warn('!')} ${name} does not answer\n`).join('');
        const more = list.has_more ? 'There are more.\n' : '';
        cli.show(list, () => (list.data.length === 0 ? 'There are none.\n' : rows(list)) + more + silent);
        return list.unavailable.length > 0 ? 2 : 0;
      }),
    );
}

const rows = ({ data }: EventReplayList): string =>
  table(
    ['REPLAY', 'CONSUMER', 'FROM', 'STATUS', 'DIFFERENCES', 'SINCE', 'BY', 'REASON'],
    data.map((one) => [
      one.id,
      one.consumer,
      one.from,
      one.status,
      one.failure ?? countsText(one.differences),
      at(one.requested_at),
      one.actor,
      one.reason,
    ]),
  );
