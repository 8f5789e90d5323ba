import type { ReplayView } from '@tidegate/contracts/ops/webhook-events';
import type { Command } from 'commander';
import type { Cli, CommonOptions } from '../cli.js';
import { changing } from '../command.js';
import { matchedText, replayText } from './replay-text.js';

/** The two are one command with another word. */
const VERBS = {
  stop: {
    summary: 'Let a replay take no more events; those that it took are still published',
    will: (job: ReplayView) => `stop ${job.id} after ${job.taken} of ${matchedText(job)} events (it is ${job.status})`,
  },
  resume: {
    summary: 'Go on with a replay that was stopped',
    will: (job: ReplayView) => `go on with ${job.id} after ${job.taken} of ${matchedText(job)} events (it is ${job.status})`,
  },
} as const;

export function webhooksChangeReplay(parent: Command, cli: Cli): void {
  for (const [verb, { summary, will }] of Object.entries(VERBS)) {
    changing(parent, { name: `${verb}-replay`, summary })
      .argument('<id>', 'rpl_…')
      .action(
        cli.run(async (id: string, options: CommonOptions & { reason: string }) => {
          const path = `/v1/ops/webhook-replays/${encodeURIComponent(id)}`;
          const before = await cli.client.get<ReplayView>(path);
          const act = () => cli.client.post<ReplayView>(`${path}/${verb}`, { reason: options.reason });
          const { done } = await cli.change(options, { will: [will(before)], act }, replayText);
          return done ? 0 : 1;
        }),
      );
  }
}
