import type { OutboxStatus, OutboxStatusView } from '@tidegate/contracts/ops/outbox-status';
import { type Command, Option } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { looking } from '../command.js';
import { table } from '../output/table.js';
import { duration, durationSeconds } from '../output/time.js';

const USUAL_SECONDS = 30;

export function outboxStatus(parent: Command, cli: Cli): void {
  looking(parent, {
    name: 'status',
    summary: 'How far each service is with publishing',
    help: `Exit code 2: something has waited for longer than --older-than, nobody publishes, or a service does not answer.
Nothing committed is ever lost: what is unpublished goes out when broker and relay are back, and consumers fetch what they miss.`,
  })
    .addOption(
      new Option('--older-than <duration>', 'how long a message may wait').argParser(durationSeconds).default(USUAL_SECONDS, '30s'),
    )
    .action(
      cli.run(async ({ olderThan }: CommonOptions & { olderThan: number }) => {
        const view = await cli.client.get<OutboxStatusView>('/v1/ops/outbox');
        const troubles = view.data.flatMap((one) => troublesOf(one, olderThan));
        const silent = [
          ...(view.broker === 'away'
            ? ['the broker is away: nothing is published, and each service tells its own numbers at /metrics']
            : []),
          ...view.silent.map((service) => `${service} does not answer`),
        ];
        cli.show(view, () => rows(view) + [...troubles, ...silent].map((line) => `${cli.paint.warn('!')} ${line}\n`).join(''));
        return troubles.length + silent.length > 0 ? 2 : 0;
      }),
    );
}

const rows = ({ data }: OutboxStatusView): string =>
  table(
    ['SERVICE', 'UNPUBLISHED', 'OLDEST', 'HEAD', 'PUBLISHED', 'EPOCH', 'EPOCH START', 'FLOOR', 'PUBLISHER'],
    data.map((one) => [
      one.service,
      one.unpublished,
      one.unpublished === 0 ? null : duration(one.oldest_seconds),
      one.head,
      one.published,
      one.epoch,
      one.epoch_start,
      one.floor,
      one.leader,
    ]),
  );

function troublesOf(one: OutboxStatus, olderThan: number): string[] {
  const late = one.unpublished > 0 && one.oldest_seconds > olderThan;
  return [
    ...(late ? [`${one.service}: ${one.unpublished} messages wait, the oldest for ${duration(one.oldest_seconds)}`] : []),
    ...(one.leader === null ? [`${one.service}: nobody publishes`] : []),
  ];
}
