import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 250;

/** What `look` sees once it is settled, or as it is when the patience ends. */
export async function patiently<Seen>(look: () => Promise<Seen>, isSettled: (seen: Seen) => boolean, seconds: number): Promise<Seen> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const seen = await look();
    if (isSettled(seen) || Date.now() >= deadline) return seen;
    await delay(POLL_MS);
  }
}
