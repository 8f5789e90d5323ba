import type { EventReplayDetail } from '@tidegate/contracts/ops/event-replays';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { facts } from '../output/table.js';
import { at } from '../output/time.js';
import { countsText, progressText, rowsText } from './replay-text.js';

export function eventsShow(parent: Command, cli: Cli): void {
  looking(parent, { name: 'show', summary: 'One replay: how far it is, and what differed' })
    .argument('<id>', 'evr_…')
    .action(
      cli.run(async (id: string, _options: CommonOptions) => {
        const replay = await cli.client.get<EventReplayDetail>(`/v1/ops/event-replays/${encodeURIComponent(id)}`);
        cli.show(replay, () => human(replay));
        return 0;
      }),
    );
}

export function human(one: EventReplayDetail): string {
  const head = facts([
    ['replay', one.id],
    ['consumers', one.consumers.join(', ')],
    ['tables', one.tables.join(', ')],
    ['from', one.from ?? 'the first event'],
    ['status', one.failure === null ? one.status : `${one.status}: ${one.failure}`],
    ['progress', progressText(one)],
    ['differences', countsText(one.differences)],
    ['wanted by', one.actor],
    ['reason', one.reason],
    ['since', at(one.requested_at)],
    ['over', at(one.finished_at)],
  ]);
  return one.rows.length === 0 ? head : `${head}\n${rowsText(one)}`;
}
