import { setTimeout as delay } from 'node:timers/promises';
import { DURABLES, ownerOf } from '@tidegate/messaging/topology';
import { type Arena } from './arena.js';

/** So many of what is on its way, by where it waits. */
export type OnItsWay = Record<string, number>;

const LOOK_EVERY_MS = 5_000;
const SAID_EVERY_MS = 60_000;
/** A backlog without any progress for so long stands still. */
const STALLED_MS = 600_000;

/**
 * News that nobody has published yet, messages that a consumer has not handled, and receipts without their documents; what was set aside as dead is none. Reads what is waiting and nothing else, so that it
 * can be asked again and again without a load that those who work on it would feel.
 */
export async function onItsWay({ sql }: Pick<Arena, 'sql'>): Promise<OnItsWay> {
  const unhandled = DURABLES.map(
    ({ durable, service, stream }) => `
    SELECT '${durable}' AS place, greatest(0, o.head - w.position) + (SELECT count(*) FROM ${ownerOf(stream)}.outbox WHERE position IS NULL)
      + (SELECT count(*) FROM ${service}.inbox i WHERE i.consumer = w.consumer AND i.generation = w.generation AND i.state = 'pending') AS waiting
    FROM ${service}.inbox_watermarks w JOIN ${service}.inbox_generations g ON g.consumer = w.consumer AND g.live = w.generation, ${ownerOf(stream)}.outbox_state o
    WHERE w.consumer = '${durable}'`,
  );
  const rows = await sql<{ place: string; waiting: number }>(
    `SELECT place, waiting::float8 FROM (
       SELECT 'webhooks' AS place, count(*) AS waiting FROM webhooks.stripe_events WHERE published_at IS NULL
       UNION ALL SELECT 'documents', count(*) FROM receipts.receipts WHERE status <> 'rendered'
       UNION ALL ${unhandled.join(' UNION ALL ')}
     ) AS places WHERE waiting > 0 ORDER BY waiting DESC`,
  );
  return Object.fromEntries(rows.map(({ place, waiting }) => [place, waiting]));
}

/** Without documents, which are nobody's message. */
export const messagesOf = ({ documents: _, ...messages }: OnItsWay): OnItsWay => messages;

export const sumOf = (found: OnItsWay): number => Object.values(found).reduce((sum, waiting) => sum + waiting, 0);

/** Resolves when at most `few` are on their way, however long that takes, as long as they get fewer. `say` hears of it each minute. */
export async function workedOff(arena: Pick<Arena, 'sql'>, few: number, say: (line: string) => void): Promise<void> {
  let lowest = { sum: Infinity, at: performance.now() };
  for (let saidAt = -Infinity; ;) {
    const found = await onItsWay(arena);
    const [sum, now] = [sumOf(found), performance.now()];
    if (sum <= few) return;
    if (sum < lowest.sum) lowest = { sum, at: now };
    if (now - lowest.at > STALLED_MS) throw new Error(`A backlog stands still: ${JSON.stringify(found)}`);
    if (now - saidAt >= SAID_EVERY_MS) {
      say(`  ${sum} on their way: ${JSON.stringify(found)}`);
      saidAt = now;
    }
    await delay(LOOK_EVERY_MS);
  }
}
