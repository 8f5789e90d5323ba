import { DEAD_LETTER_OWNERS, type DeadLetterList, type DeadLetterView } from '@tidegate/contracts/ops/dead-letters';
import { type Command, Option } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { table } from '../output/table.js';
import { at, count } from '../output/time.js';

interface Options extends CommonOptions {
  service?: string;
  consumer?: string;
  matching?: string;
  limit: number;
}

export function deadLettersList(parent: Command, cli: Cli): void {
  looking(parent, {
    name: 'list',
    summary: 'All that were set aside, of all services',
    help: 'Each holds back what came after it for the same aggregate; everything else goes on.\nExit code 2: there are some, or a service does not answer.',
  })
    .addOption(new Option('--service <name>', 'only of this service').choices([...DEAD_LETTER_OWNERS]))
    .option('--consumer <name>', 'only of this consumer')
    .option('--matching <text>', 'only those whose reason has this in it')
    .option('--limit <n>', 'most rows, at most 100', count, 50)
    .action(
      cli.run(async ({ service, consumer, matching, limit }: Options) => {
        const list = await cli.client.get<DeadLetterList>('/v1/ops/dead-letters', {
          service,
          consumer,
          reason: matching,
          limit: Math.min(100, limit),
        });
        const silent = list.unavailable.map((name) => `${cli.paint.warn('!')} ${name} does not answer\n`).join('');
        const more = list.has_more ? 'There are more.\n' : '';
        cli.show(list, () => (list.data.length === 0 ? 'There are none.\n' : rows(list.data)) + more + silent);
        return list.data.length + list.unavailable.length > 0 ? 2 : 0;
      }),
    );
}

const rows = (letters: readonly DeadLetterView[]): string =>
  table(
    ['ID', 'CONSUMER', 'SUBJECT', 'AGGREGATE', 'TRIES', 'SINCE', 'REASON'],
    letters.map((one) => [one.id, one.consumer, one.subject, one.aggregate, one.attempts, at(one.at), one.reason]),
  );
