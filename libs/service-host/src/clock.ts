import { Agent, get } from 'node:http';
import { text } from 'node:stream/consumers';

/** The time that decisions see. Leases, deadlines and signatures use the wall clock instead. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

const POLL_MS = 250;
const POLL_TIMEOUT_MS = 1000;

export interface VirtualClock extends Clock {
  stop(): void;
}

/**
 * The wall clock plus the simulator's offset (`GET url` -> `{now, offset_seconds}`), asked each 250 ms. While the simulator is away the last known
 * offset stays. Resolves after the first answer or the first failure.
 */
export async function virtualClock(url: string): Promise<VirtualClock> {
  let offsetMs = 0;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });

  async function poll(): Promise<void> {
    try {
      const answer = JSON.parse(await bodyOf(url, agent)) as { offset_seconds?: unknown };
      if (typeof answer.offset_seconds === 'number') offsetMs = answer.offset_seconds * 1000;
    } catch {
      // Asked again below.
    }
    if (!stopped) timer = setTimeout(() => void poll(), POLL_MS).unref();
  }

  await poll();
  return {
    now: () => new Date(Date.now() + offsetMs),
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      agent.destroy();
    },
  };
}

/** Not with `fetch`, which costs several times as much: four times a second that is a good part of what a process does that has nothing to do. */
function bodyOf(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent, signal: AbortSignal.timeout(POLL_TIMEOUT_MS) }, (response) => void text(response).then(resolve, reject)).on(
      'error',
      reject,
    );
  });
}
