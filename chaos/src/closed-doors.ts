import { type Arena } from './arena.js';

/** Our calls that began while their breaker held them back: promise P7. `intervals`: how many times were looked at. */
export interface ClosedDoors {
  intervals: number;
  calls: string[];
}

/** A call may start until a second after the breaker opened; a machine with much to do takes a while until Stripe notes it, beside what the simulator says that it was held up itself. */
const NOTED_WITHIN_MS = 1_500;
/** A held-back time that is shorter says nothing. */
const WORTH_LOOKING_MS = 1_000;

/** The times in which the breaker of writes was isolated, against the writes of ours that Stripe has noted. */
export async function callsBehindClosedDoors(arena: Pick<Arena, 'sql' | 'truth'>): Promise<ClosedDoors> {
  const held = await arena.sql<{ from: Date; until: Date }>(
    `SELECT at AS "from", next AS "until" FROM (
       SELECT at, to_state, lead(at) OVER (ORDER BY id) AS next FROM stripe_gateway.transitions WHERE breaker = 'stripe'
     ) AS change WHERE to_state = 'isolated' AND next - at > $1 * interval '1 millisecond'`,
    [NOTED_WITHIN_MS + WORTH_LOOKING_MS],
  );
  const { requests } = await arena.truth();
  const ours = requests.filter(({ method, idempotency_key }) => method === 'POST' && idempotency_key?.startsWith('cmd_'));
  const calls = held.flatMap(({ from, until }) =>
    ours
      .filter(({ at, since = at }) => Date.parse(since) > from.getTime() + NOTED_WITHIN_MS && Date.parse(at) < until.getTime())
      .map(({ at, path }) => `POST ${path} at ${at}, isolated since ${from.toISOString()}`),
  );
  return { intervals: held.length, calls };
}
