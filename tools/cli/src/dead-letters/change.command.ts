import { DEAD_LETTER_OWNERS, type DeadLettersChanged } from '@tidegate/contracts/ops/dead-letters';
import { type Command, Option } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing, refuseIdsWithAll } from '../command.js';
import { Failure } from '../exit.js';

interface Options extends CommonOptions {
  reason: string;
  all?: true;
  service?: string;
  consumer?: string;
  matching?: string;
}

/** In one request. */
const MOST_IDS = 100;

/** The two are one command with another word. */
const ACTIONS = {
  replay: { summary: 'Handle them again', done: 'replayed', whys: ['fixed in 1.4.2', 'tenant made'], beware: undefined },
  discard: {
    summary: 'Give them up for good, and let go what waits behind them',
    done: 'discarded',
    whys: ['not needed any more', 'tenant is gone'],
    beware: 'what they would have done is never done',
  },
} as const;

export function deadLettersChanges(parent: Command, cli: Cli): void {
  for (const [action, { summary, done: past, whys, beware }] of Object.entries(ACTIONS)) {
    changing(parent, {
      name: action,
      summary,
      help: `Examples:\n  tidegate dead-letters ${action} dl_… --reason "${whys[0]}"\n  tidegate dead-letters ${action} --consumer receipts-payments --matching "no such tenant" --reason "${whys[1]}"`,
    })
      .argument('[ids...]', 'dl_…; or name them by the options')
      .addOption(new Option('--service <name>', 'all of this service').choices([...DEAD_LETTER_OWNERS]))
      .option('--consumer <name>', 'all of this consumer')
      .option('--matching <text>', 'all whose reason has this in it')
      .option('--all', 'all there are')
      .action(
        cli.run(async (ids: string[], { all, service, consumer, matching, ...options }: Options) => {
          refuseIdsWithAll(ids, { all });
          const filter = { ...(ids.length > 0 ? { ids } : {}), service, consumer, reason: matching };
          if (!all && Object.values(filter).every((one) => one === undefined))
            throw new Failure('filter.missing', `Which? Give ids, --service, --consumer, --matching, or --all.`);
          const body = { filter, reason: options.reason };
          const preview = await cli.client.post<DeadLettersChanged>(`/v1/ops/dead-letters/${action}`, { ...body, dry_run: true });
          if (preview.matched === 0) {
            cli.show({ done: true, would: [], result: preview }, () => `There is nothing to ${action}.\n${rest(preview)}`);
            return preview.not_found.length + preview.unavailable.length > 0 ? 2 : 0;
          }
          // What was agreed to, and not what came after it.
          const shown = preview.matched <= Math.min(preview.ids.length, MOST_IDS) ? { ids: preview.ids } : null;
          const { done, result } = await cli.change(
            options,
            {
              will: [`${action} ${preview.matched}: ${preview.ids.slice(0, 5).join(', ')}${preview.ids.length > 5 ? ' and others' : ''}`],
              beware: [
                ...(beware ? [beware] : []),
                ...(shown ? [] : ['what is set aside until then is among them']),
                ...preview.unavailable.map((name) => `${name} does not answer: its own are left out`),
              ],
              act: () => cli.client.post<DeadLettersChanged>(`/v1/ops/dead-letters/${action}`, { ...body, filter: shown ?? filter }),
            },
            (after) => `${after.changed} of ${after.matched} were ${past}.\n${rest(after)}`,
          );
          if (!done) return 1;
          const left = [result.refused, result.not_found, result.unavailable, preview.unavailable].some((those) => those.length > 0);
          return left || result.more ? 2 : 0;
        }),
      );
  }
}

const rest = ({ refused, not_found, unavailable, more }: DeadLettersChanged): string =>
  [
    ...refused.map(({ id, why }) => `${id} stays: ${why.replaceAll('_', ' ')}\n`),
    ...not_found.map((id) => `${id}: there is no such thing\n`),
    ...unavailable.map((name) => `${name} does not answer\n`),
    ...(more ? ['Some are left: ask again.\n'] : []),
  ].join('');
