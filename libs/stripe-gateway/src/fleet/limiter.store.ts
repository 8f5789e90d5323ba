import { type Db } from '@tidegate/database/database';
import { sql } from 'kysely';
import { NOT_FLUSHED } from './not-flushed.js';

/** Writes go before reads: whether a payment is made matters more than how soon we know. */
export type Kind = 'write' | 'read';

export interface Leased {
  granted: number;
  /** When it was less than wanted: how long until there may be more. */
  waitMs: number;
}

/** What reads get of the rate while writes want all of it. */
const READ_SHARE = 0.2;
/** A want that was not met counts as still there for this long after there may be more. */
const WAITS = sql`interval '300 milliseconds'`;
/** What reports of usage get of the rate at most: they can wait, and must keep nobody waiting. */
const USAGE_SHARE = 0.25;
/** After a 429 the rate is halved, to no less than this share, and grows back by this share of the full rate each second. */
const LEAST_FACTOR = 0.1;
const REGAIN_PER_SECOND = 0.05;
/** Answers to calls that were under way together say the same thing once. */
const ONE_LESSON = sql`interval '500 milliseconds'`;

/** No pause of ours is that long: the database's clock was set back since. */
const CLOCK_SET_BACK = sql`interval '5 seconds'`;

const FACTOR = sql`least(1, factor + ${sql.lit(REGAIN_PER_SECOND)} * coalesce(greatest(0, extract(epoch from clock_timestamp() - limited_at)), 0))`;

/** The fleet's bucket of tokens in `stripe_gateway.limiter`; every change is one statement on the database's clock. */
export class LimiterStore {
  constructor(private readonly db: Db) {}

  /** Requests per second from now on; the bucket holds a tenth of a second's worth. */
  async setRate(perSecond: number): Promise<void> {
    await sql`
      UPDATE stripe_gateway.limiter SET per_second = ${perSecond}, capacity = greatest(1, ${perSecond}::float8 / 10)
      WHERE per_second IS DISTINCT FROM ${perSecond}::float8`.execute(this.db);
  }

  /** Takes up to `want` tokens, and up to `ahead` more of what would be left over: half of it at most. */
  async lease(kind: Kind, want: number, ahead: number): Promise<Leased> {
    const { rows } = await sql<{ granted: number; wait_ms: number }>`
      WITH locked AS (SELECT l.name, per_second, capacity, tokens, filled_at, read_credit, writes_wait_until, reads_wait_until, factor, limited_at
        FROM stripe_gateway.limiter l, ${NOT_FLUSHED} WHERE l.name = 'stripe' FOR UPDATE OF l),
      timed AS MATERIALIZED (SELECT locked.*, clock_timestamp() AS now, per_second * ${FACTOR} AS flow FROM locked),
      filled AS (
        SELECT name, now, flow, CASE WHEN filled_at > now + ${CLOCK_SET_BACK} THEN now ELSE filled_at END AS filled_at, writes_wait_until > now AS writes_wait, reads_wait_until > now AS reads_wait,
          least(capacity, tokens + flow * greatest(0, extract(epoch from now - filled_at)::float8)) AS tokens,
          least(greatest(1, capacity * ${sql.lit(READ_SHARE)}), read_credit + ${sql.lit(READ_SHARE)} * flow * greatest(0, extract(epoch from now - filled_at)::float8)) AS credit
        FROM timed
      ),
      shared AS (
        SELECT *, floor(greatest(0, 1e-9 + ${kind === 'write' ? sql`tokens - CASE WHEN reads_wait THEN floor(credit) ELSE 0 END` : sql`CASE WHEN writes_wait THEN least(tokens, credit) ELSE tokens END`})) AS available
        FROM filled
      ),
      given AS (
        SELECT *, least(${want}::float8, available) + least(${ahead}::float8, floor(greatest(0, available - ${want}::float8) / 2)) AS granted FROM shared
      ),
      waiting AS (
        SELECT *, greatest(interval '0', filled_at - now) + greatest(0, 1 - (tokens - granted)) / flow * interval '1 second' AS wait FROM given
      )
      UPDATE stripe_gateway.limiter l SET tokens = g.tokens - g.granted, filled_at = greatest(g.filled_at, g.now),
        read_credit = ${kind === 'read' ? sql`greatest(0, g.credit - g.granted)` : sql`g.credit`},
        ${kind === 'read' ? sql`reads_wait_until` : sql`writes_wait_until`} = CASE WHEN g.granted < ${want}::float8 THEN g.now + g.wait + ${WAITS} ELSE '-infinity' END
      FROM waiting g WHERE l.name = g.name
      RETURNING g.granted::int AS granted, (1000 * extract(epoch from g.wait))::float8 AS wait_ms`.execute(this.db);
    const { granted, wait_ms } = rows[0] ?? { granted: 0, wait_ms: 1000 };
    return { granted, waitMs: Math.ceil(wait_ms) };
  }

  /**
   * Leave for one report of usage within its own share, which the call then takes from the common bucket like any read. Answers 0, or how many milliseconds until
   * there may be more.
   */
  async leaseUsage(): Promise<number> {
    const { rows } = await sql<{ granted: boolean; wait_ms: number }>`
      WITH own AS (SELECT l.name, per_second * ${sql.lit(USAGE_SHARE)} AS flow, l.tokens, l.filled_at, clock_timestamp() AS now
        FROM stripe_gateway.limiter l, ${NOT_FLUSHED} WHERE l.name = 'stripe_usage' FOR UPDATE OF l),
      -- A clock that was set back fills the bucket once.
      filled AS (SELECT name, now, flow, least(greatest(1, flow / 10), tokens + flow * abs(extract(epoch from now - filled_at)::float8)) AS tokens FROM own)
      UPDATE stripe_gateway.limiter l SET tokens = f.tokens - (f.tokens >= 1)::int, filled_at = f.now
      FROM filled f WHERE l.name = f.name
      RETURNING f.tokens >= 1 AS granted, (1000 * (1 - f.tokens) / f.flow)::float8 AS wait_ms`.execute(this.db);
    const [{ granted, wait_ms } = { granted: false, wait_ms: 1000 }] = rows;
    return granted ? 0 : Math.max(1, Math.ceil(wait_ms));
  }

  /** A 429: nothing is left, for `pauseMs` nothing flows in; with `halve` the rate goes down, too. */
  async drain({ reason, pauseMs, halve }: { reason: string; pauseMs: number; halve: boolean }): Promise<void> {
    const teaches = sql`${halve} AND (limited_at IS NULL OR limited_at <= clock_timestamp() - ${ONE_LESSON})`;
    await sql`
      UPDATE stripe_gateway.limiter SET tokens = 0, read_credit = 0,
        filled_at = greatest(filled_at, clock_timestamp() + ${pauseMs} * interval '1 millisecond'), limited_reason = ${reason},
        factor = CASE WHEN ${teaches} THEN greatest(${sql.lit(LEAST_FACTOR)}, ${FACTOR} / 2) ELSE factor END,
        limited_at = CASE WHEN ${teaches} THEN clock_timestamp() ELSE limited_at END
      WHERE name = 'stripe'`.execute(this.db);
  }
}
