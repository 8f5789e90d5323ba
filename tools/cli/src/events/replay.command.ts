import type { EventReplayDetail, EventReplayView } from '@tidegate/contracts/ops/event-replays';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';
import { followReplay } from './follow.js';
import { pastTimeOrAge } from '../output/time.js';
import { countsText, rowsText, total } from './replay-text.js';

interface Options extends CommonOptions {
  consumer: string;
  from?: string;
  dryRun?: true;
  reason: string;
}

/** A position of the stream is a number alone. */
const placeOf = (text: string): string => (/^[1-9]\d{0,14}$/.test(text) ? text : pastTimeOrAge(text));

export function eventsReplay(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'replay',
    summary: "Make a consumer's tables anew from its events, show what differs, and swap it in",
    help: `Examples:
  tidegate events replay --consumer reconciliation-payments --reason "INC-42"
  tidegate events replay --consumer receipts-payments --from 2026-11-20T00:00:00Z --dry-run --reason "INC-42"

The events come from JetStream, and from the outbox of their owner where the stream no longer reaches. The live tables go on meanwhile; only rows that differ are
replaced, and only after a yes. It goes on by itself when this command is interrupted: see \`events list\`, \`events stop\`.
Exit code 2: something differs, and --dry-run left it as it is.`,
  })
    .requiredOption('--consumer <name>', 'whose: a durable as <service>-<purpose>')
    .option('--from <place>', 'only what events since then have touched: a time, an age such as 2h, or a position of the stream', placeOf)
    .option('--dry-run', 'only compare; for an hour `events swap` can follow')
    .action(
      cli.run(async ({ consumer, from, dryRun, reason, ...options }: Options) => {
        const begun = await cli.client.post<EventReplayView>('/v1/ops/event-replays', { consumer, from, dry_run: true, reason });
        cli.note(`${begun.id}: ${begun.tables.join(', ')}, filled by ${begun.consumers.join(', ')}`);
        const compared = await followReplay(cli, begun.id, `Replaying ${consumer}`);
        const differing = total(compared.differences);
        if (differing === 0) {
          await cli.client.post(`/v1/ops/event-replays/${begun.id}/stop`, { reason: 'nothing differs' });
          cli.show({ done: true, would: [], result: compared }, () => `Nothing differs: ${said(compared)}.\n`);
          return 0;
        }
        if (dryRun) {
          cli.show(
            compared,
            () => `${rowsText(compared)}\n${countsText(compared.differences)}. To swap it in: tidegate events swap ${begun.id}\n`,
          );
          return 2;
        }
        cli.explain(rowsText(compared));
        const { done } = await cli.change(
          { reason, ...options },
          { will: [`replace ${differing} rows (${countsText(compared.differences)})`], act: () => swapIn(cli, begun.id, reason) },
          (after) => `${total(after.differences)} rows were replaced; ${said(after)}.\n`,
        );
        return done ? 0 : 1;
      }),
    );
}

/** Swaps a replay in and sees it through. */
export async function swapIn(cli: Cli, id: string, reason: string): Promise<EventReplayDetail> {
  await cli.client.post(`/v1/ops/event-replays/${id}/swap`, { reason });
  return followReplay(cli, id, 'Swapping it in');
}

const said = ({ progress, tables }: EventReplayView): string => `${progress.handled} messages were handled again for ${tables.join(', ')}`;
