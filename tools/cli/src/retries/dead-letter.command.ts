import type { DeadLetterRetriesView } from '@tidegate/contracts/ops/retries';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';
import { duration, durationSeconds } from '../output/time.js';

interface Options extends CommonOptions {
  reason: string;
  olderThan: number;
}

const PATH = '/v1/ops/retries/dead-letter';

export function retriesDeadLetter(parent: Command, cli: Cli): void {
  changing(parent, {
    name: 'dead-letter',
    summary: 'Give up queued payments that were certainly never sent',
    help: `They become canceled with the reason dead_lettered. A payment for which a call may have reached Stripe stays, and is carried on until certain.
Exit code 2: there were some that had to stay.`,
  })
    .requiredOption('--older-than <duration>', 'only those that have waited for so long', durationSeconds)
    .action(
      cli.run(async ({ olderThan, ...options }: Options) => {
        const askedAt = Date.now();
        // Older than so much when it was shown, also when the answer to the question took its time.
        const body = () => ({
          older_than_seconds: olderThan + Math.floor((Date.now() - askedAt) / 1000),
          reason: options.reason,
        });
        const preview = await cli.client.post<DeadLetterRetriesView>(PATH, { ...body(), older_than_seconds: olderThan, dry_run: true });
        if (preview.matched === 0) {
          cli.show(
            { done: true, would: [], result: preview },
            () => `Nothing unsent has waited for ${duration(olderThan)}.\n${stays(preview)}`,
          );
          return preview.refused.count > 0 ? 2 : 0;
        }
        const { done, result } = await cli.change(
          options,
          {
            will: [`cancel ${preview.matched} payments that were never sent: ${shown(preview.payment_ids)}`],
            beware: preview.refused.count > 0 ? [stays(preview).trim()] : [],
            act: () => cli.client.post<DeadLetterRetriesView>(PATH, body()),
          },
          (after) => `${after.dead_lettered} payments are canceled.${after.more ? ' Some are left: ask again.' : ''}\n${stays(after)}`,
        );
        if (!done) return 1;
        return result.refused.count > 0 || result.more ? 2 : 0;
      }),
    );
}

const stays = ({ refused }: DeadLetterRetriesView): string =>
  refused.count === 0
    ? ''
    : `${refused.count} others stay, because a call for them may have reached Stripe: ${shown(refused.payment_ids)}\n`;

const shown = (ids: readonly string[]): string => (ids.length <= 5 ? ids.join(', ') : `${ids.slice(0, 5).join(', ')} and others`);
