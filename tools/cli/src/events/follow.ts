import { setTimeout as pause } from 'node:timers/promises';
import type { EventReplayDetail } from '@tidegate/contracts/ops/event-replays';
import type { Cli } from '../cli.js';
import { Failure } from '../exit.js';
import { progressText } from './replay-text.js';

const LOOK_MS = 250;

/** Looks at a replay until it has come to rest. One that came to nothing is a Failure. */
export function followReplay(cli: Cli, id: string, doing: string): Promise<EventReplayDetail> {
  return cli.progress(doing, async (say) => {
    for (;;) {
      const replay = await cli.client.get<EventReplayDetail>(`/v1/ops/event-replays/${id}`);
      switch (replay.status) {
        case 'ready':
        case 'done':
          return replay;
        case 'failed':
        case 'stopped':
        case 'expired':
          throw new Failure(
            `event_replay.${replay.status}`,
            `The replay is over: ${replay.failure ?? replay.status}. Nothing was changed.`,
          );
        default:
          say(`${doing}: ${progressText(replay)}`);
          await pause(LOOK_MS);
      }
    }
  });
}
