import { BREAKER_NAMES, type BreakerName } from '@tidegate/contracts/ids';
import type { BreakerView } from '@tidegate/contracts/responses';
import { Argument, type Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';
import { breakersText } from './breaker-text.js';

/** The three are one command with another word. */
const ACTIONS = {
  reset: {
    summary: 'Close it and forget what was counted, a refused key included',
    why: 'Stripe says it is back',
    will: 'close it, with nothing counted, no key refused and no operation held',
    beware: 'if Stripe is still failing it opens again after the next failures: see `tidegate stripe check` first',
  },
  isolate: {
    summary: 'Stop all its calls until it is closed or reset',
    why: 'audit of the account',
    will: 'stop every call of it, until somebody closes or resets it',
    beware: undefined,
  },
  close: { summary: 'End open, half open or isolated', why: 'audit is over', will: 'let calls go out again', beware: undefined },
} as const;

export function breakerChanges(parent: Command, cli: Cli): void {
  for (const [action, { summary, why, will, beware }] of Object.entries(ACTIONS)) {
    changing(parent, { name: action, summary, help: `Example:\n  tidegate breaker ${action} stripe --reason "${why}"` })
      .addArgument(new Argument('<name>', 'which breaker').choices([...BREAKER_NAMES]))
      .action(
        cli.run(async (name: BreakerName, options: CommonOptions & { reason: string }) => {
          const { data } = await cli.client.get<{ data: BreakerView[] }>('/v1/ops/breakers');
          const before = data.find((one) => one.name === name)?.state ?? 'unknown';
          const { done } = await cli.change(
            options,
            {
              will: [`${will} (${name}, ${before} now)`],
              beware: beware ? [beware] : [],
              act: () => cli.client.post<BreakerView>(`/v1/ops/breakers/${name}/${action}`, { reason: options.reason }),
            },
            (after) => breakersText([after]),
          );
          return done ? 0 : 1;
        }),
      );
  }
}
