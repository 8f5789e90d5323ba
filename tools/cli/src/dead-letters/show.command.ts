import type { DeadLetterDetail } from '@tidegate/contracts/ops/dead-letters';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { facts, table } from '../output/table.js';
import { at } from '../output/time.js';

export function deadLettersShow(parent: Command, cli: Cli): void {
  looking(parent, { name: 'show', summary: 'One of them: why, what is in it, what waits behind it' })
    .argument('<id>', 'dl_…')
    .action(
      cli.run(async (id: string, _options: CommonOptions) => {
        const letter = await cli.client.get<DeadLetterDetail>(`/v1/ops/dead-letters/${encodeURIComponent(id)}`);
        cli.show(letter, () => human(letter));
        return 0;
      }),
    );
}

function human(one: DeadLetterDetail): string {
  const head = facts([
    ['id', one.id],
    ['kind', one.kind],
    ['consumer', one.consumer],
    ['subject', one.subject],
    ['aggregate', one.aggregate],
    ['reason', one.reason],
    ['attempts', one.attempts],
    ['failed first', at(one.at)],
    ['behind it', `${one.behind.count} messages wait`],
  ]);
  const behind = one.behind.first.map((message) => [message.message_id, message.subject, at(message.stored_at)]);
  const waiting = behind.length === 0 ? '' : `\n${table(['MESSAGE', 'SUBJECT', 'STORED'], behind)}`;
  return `${head}${waiting}\n${JSON.stringify(one.payload, null, 2)}\n`;
}
