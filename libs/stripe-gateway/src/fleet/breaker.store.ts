import { type Db } from '@tidegate/database/database';
import { type BreakerRules, CLOCK_SET_BACK_MS } from '@tidegate/resilience/breaker';
import { type RawBuilder, sql } from 'kysely';
import { type BreakerName } from '../breaker-names.js';
import { NOT_FLUSHED } from './not-flushed.js';

export type BreakerStateName = 'closed' | 'open' | 'half_open' | 'isolated' | 'auth';

/** Why a breaker changed. */
export type Cause =
  'failures' | 'probe' | 'probe_succeeded' | 'probe_failed' | 'key_refused' | 'key_changed' | 'isolate' | 'close' | 'reset';

/** One breaker as the database has it; times in epoch milliseconds by the database's clock. */
export interface BreakerRow {
  name: BreakerName;
  state: BreakerStateName;
  version: number;
  retry_at: number | null;
  refused_keys: string[];
  /** The service whose key was refused, while the state is `auth`, or will be once it is no longer isolated. */
  latched_by: string | null;
  recovery_ms: number;
}

/** A change that a statement of ours made. */
export interface Transition {
  breaker: BreakerName;
  version: number;
  from_state: BreakerStateName;
  to_state: BreakerStateName;
  cause: Cause;
}

/** An operation that is not called for now; with any key where the fingerprint is `*`. */
export interface Hold {
  operation: string;
  key_fingerprint: string;
  until: number | null;
}

export interface FleetRows {
  now: number;
  breakers: BreakerRow[];
  holds: Hold[];
}

/** Who makes a change, and in which work. */
export interface Author {
  service: string;
  process: string;
  correlationId: string | null;
  actor?: string;
  reason?: string;
}

/** A row is remembered this long after it last counted, for those who look at the table. */
const BUCKETS_KEPT = sql`interval '1 hour'`;
const DATABASE_CLOCK = sql<Date>`clock_timestamp()`;

/**
 * The breakers in `stripe_gateway`. Each change is one statement that looks at the row, moves it and writes the transition, on the database's clock; so two
 * processes never both make it. `clock` is another one in tests only.
 */
export class BreakerStore {
  constructor(
    private readonly db: Db,
    private readonly clock: RawBuilder<Date> = DATABASE_CLOCK,
  ) {}

  /** Everything that decides whether a call may start. */
  async read(): Promise<FleetRows> {
    const { rows } = await sql<{ now: number; breakers: BreakerRow[]; holds: Hold[] | null }>`
      SELECT ${ms(this.clock)} AS now,
        (SELECT json_agg(json_build_object('name', name, 'state', state, 'version', version, 'retry_at', ${ms(sql`retry_at`)},
          'refused_keys', refused_keys, 'latched_by', latched_by, 'recovery_ms', recovery_ms)) FROM stripe_gateway.breaker_states) AS breakers,
        (SELECT json_agg(json_build_object('operation', operation, 'key_fingerprint', key_fingerprint, 'until', ${ms(sql`until`)}))
          FROM stripe_gateway.operation_holds WHERE until IS NULL OR until > ${this.clock}) AS holds`.execute(this.db);
    const row = rows[0]!;
    return { now: row.now, breakers: row.breakers, holds: row.holds ?? [] };
  }

  /** The rules that hold from now on; nothing changes when they already do. */
  async setRules(rules: BreakerRules): Promise<void> {
    await sql`
      UPDATE stripe_gateway.breaker_states
      SET threshold = ${rules.threshold}, ratio = ${rules.ratio}, window_ms = ${rules.windowMs}, recovery_ms = ${rules.recoveryMs}
      WHERE (threshold, ratio, window_ms, recovery_ms) IS DISTINCT FROM
        (${rules.threshold}::int, ${rules.ratio}::float8, ${rules.windowMs}::bigint, ${rules.recoveryMs}::bigint)`.execute(this.db);
  }

  /** Counts calls that began under that version of a closed breaker; those of an older version count nowhere. */
  async count(breaker: BreakerName, version: number, added: { calls: number; failures: number }): Promise<void> {
    await sql`
      INSERT INTO stripe_gateway.buckets AS b (breaker, version, started_at, calls, failures, last_failure_at)
      SELECT name, version, to_timestamp(floor(${ms(this.clock)} / ${SLOT_MS}) * ${SLOT_MS} / 1000), ${added.calls}::bigint, ${added.failures}::bigint,
        CASE WHEN ${added.failures}::bigint > 0 THEN ${this.clock} END
      FROM stripe_gateway.breaker_states, ${NOT_FLUSHED} WHERE name = ${breaker} AND version = ${version} AND state = 'closed'
      ON CONFLICT (breaker, version, started_at) DO UPDATE SET calls = b.calls + excluded.calls, failures = b.failures + excluded.failures,
        last_failure_at = coalesce(excluded.last_failure_at, b.last_failure_at)`.execute(this.db);
  }

  /**
   * Opens a closed breaker when what is counted says so. Run it after the failure was counted, in a statement of its own: of failures that come together, at least
   * the last one's then sees them all.
   */
  trip(breaker: BreakerName, version: number, author: Author): Promise<Transition[]> {
    const found = sql`
      SELECT s.name, s.state AS from_state, s.version, c.calls, c.failures FROM stripe_gateway.breaker_states s,
        LATERAL (SELECT coalesce(sum(calls), 0) AS calls, coalesce(sum(failures), 0) AS failures FROM stripe_gateway.buckets b
          WHERE b.breaker = s.name AND b.version = s.version AND b.started_at > ${this.clock} - s.window_ms * interval '1 millisecond') c
      WHERE s.name = ${breaker} AND s.version = ${version} AND s.state = 'closed' AND c.failures >= s.threshold AND c.failures >= s.ratio * c.calls`;
    return this.change({
      found,
      isAsFound: sql`s.version = found.version`,
      to: 'open',
      cause: 'failures',
      author,
      set: sql`last_failure_at = ${this.clock}, `,
    });
  }

  /** Takes the one place of a probe, if one is due, or if the clock was set back since it was put off; `probe` names the lease. */
  async leaseProbe(breaker: BreakerName, probe: string, author: Author): Promise<Transition | null> {
    const found = sql`${ROWS} WHERE name = ${breaker} AND state IN ('open', 'half_open')
      AND (retry_at <= ${this.clock} OR retry_at > ${this.clock} + (recovery_ms + ${CLOCK_SET_BACK_MS}) * interval '1 millisecond') ${LOCKED}`;
    const [transition] = await this.change({ found, to: 'half_open', cause: 'probe', author, set: sql`probe = ${probe}, ` });
    return transition ?? null;
  }

  /** Ends a probe; nothing happens when the lease is another's by now. */
  reportProbe(breaker: BreakerName, probe: string, failed: boolean, author: Author): Promise<Transition[]> {
    const found = sql`${ROWS} WHERE name = ${breaker} AND state = 'half_open' AND probe = ${probe} ${LOCKED}`;
    return failed
      ? this.change({ found, to: 'open', cause: 'probe_failed', author, set: sql`last_failure_at = ${this.clock}, ` })
      : this.change({ found, to: 'closed', cause: 'probe_succeeded', author });
  }

  /**
   * Stripe answered 401: no process calls with that key any more, whatever for. Isolated breakers stay isolated, and are latched when they are closed. A key that
   * is known to be refused changes nothing, or the answer to a call that was still under way would stop those who have another key by now.
   */
  refuseKey(fingerprint: string, author: Author): Promise<Transition[]> {
    const refused = sql`(refused_keys || ${fingerprint}::text)[greatest(1, cardinality(refused_keys) - 18):]`;
    const isNew = sql`NOT ${fingerprint} = ANY(refused_keys)`;
    return this.db.transaction().execute(async (tx) => {
      // An operator who closes an isolated one meanwhile waits, or else the key would be refused there and nothing would say so.
      await sql`SELECT FROM stripe_gateway.breaker_states ${LOCKED}`.execute(tx);
      await sql`
        UPDATE stripe_gateway.breaker_states
        SET refused_keys = ${refused}, latched_by = CASE WHEN state = 'isolated' THEN ${author.service} ELSE latched_by END
        WHERE state IN ('auth', 'isolated') AND ${isNew}`.execute(tx);
      const found = sql`${ROWS} WHERE state NOT IN ('auth', 'isolated') AND ${isNew} ${LOCKED}`;
      return this.change({ found, to: 'auth', cause: 'key_refused', author, set: sql`refused_keys = ${refused}, ` }, tx);
    });
  }

  /** The service whose key was refused has another one: the latch is over. Processes that still have a refused key go on making no call. */
  async acceptKey(fingerprint: string, author: Author): Promise<Transition[]> {
    await sql`
      UPDATE stripe_gateway.breaker_states SET latched_by = NULL
      WHERE state = 'isolated' AND latched_by = ${author.service} AND NOT ${fingerprint} = ANY(refused_keys)`.execute(this.db);
    const found = sql`${ROWS} WHERE state = 'auth' AND latched_by = ${author.service} AND NOT ${fingerprint} = ANY(refused_keys) ${LOCKED}`;
    return this.change({ found, to: 'closed', cause: 'key_changed', author });
  }

  /** Not that operation for now; for `ms`, or until the key changes. */
  async hold(operation: string, breaker: BreakerName, hold: { fingerprint: string; ms: number | null; reason: string }): Promise<void> {
    const until = hold.ms === null ? sql`NULL::timestamptz` : sql`${this.clock} + ${hold.ms} * interval '1 millisecond'`;
    await sql`
      INSERT INTO stripe_gateway.operation_holds (operation, breaker, key_fingerprint, until, reason, at)
      VALUES (${operation}, ${breaker}, ${hold.fingerprint}, ${until}, ${hold.reason}, ${this.clock})
      ON CONFLICT (operation, key_fingerprint) DO UPDATE SET until = excluded.until, reason = excluded.reason, at = excluded.at`.execute(
      this.db,
    );
  }

  /** No call until somebody says otherwise. Nothing happens when it is isolated already. */
  async isolate(breaker: BreakerName, author: Author): Promise<Transition[]> {
    const found = sql`${ROWS} WHERE name = ${breaker} AND state <> 'isolated' ${LOCKED}`;
    return this.change({ found, to: 'isolated', cause: 'isolate', author, latchedBy: LATCH_STAYS });
  }

  /** Ends open, half open and isolated; a refused key stays refused, so `auth` is left alone, and comes back when it was isolated. */
  async close(breaker: BreakerName, author: Author): Promise<Transition[]> {
    const latched = sql`${ROWS} WHERE name = ${breaker} AND state = 'isolated' AND latched_by IS NOT NULL ${LOCKED}`;
    const made = await this.change({ found: latched, to: 'auth', cause: 'close', author, latchedBy: LATCH_STAYS });
    if (made.length > 0) return made;
    const found = sql`${ROWS} WHERE name = ${breaker} AND state NOT IN ('closed', 'auth') AND latched_by IS NULL ${LOCKED}`;
    return this.change({ found, to: 'closed', cause: 'close', author });
  }

  /** As on the first day: closed, nothing counted, no key refused, no operation held. */
  async reset(breaker: BreakerName, author: Author): Promise<Transition[]> {
    await sql`DELETE FROM stripe_gateway.operation_holds WHERE breaker = ${breaker}`.execute(this.db);
    await sql`DELETE FROM stripe_gateway.buckets WHERE breaker = ${breaker}`.execute(this.db);
    const found = sql`${ROWS} WHERE name = ${breaker} ${LOCKED}`;
    return this.change({ found, to: 'closed', cause: 'reset', author, set: sql`last_failure_at = NULL, refused_keys = '{}', ` });
  }

  /** Forgets what no window reaches any more. */
  async forgetOld(): Promise<void> {
    await sql`
      DELETE FROM stripe_gateway.buckets b USING stripe_gateway.breaker_states s
      WHERE b.breaker = s.name AND b.started_at < ${this.clock} - ${BUCKETS_KEPT} - s.window_ms * interval '1 millisecond'`.execute(
      this.db,
    );
    await sql`DELETE FROM stripe_gateway.operation_holds WHERE until < ${this.clock}`.execute(this.db);
  }

  /**
   * Moves the rows that `found` names (name, from_state, version, calls, failures) and writes a transition for each. Either `found` has locked them, after waiting for
   * whoever changed them at that moment, and they are as it says; or `isAsFound` says what must still hold.
   */
  private async change(
    move: {
      found: RawBuilder<unknown>;
      isAsFound?: RawBuilder<unknown>;
      to: BreakerStateName;
      cause: Cause;
      author: Author;
      set?: RawBuilder<unknown>;
      /** By default the author when it is `auth` now, and else nobody. */
      latchedBy?: RawBuilder<unknown>;
    },
    db: Db = this.db,
  ): Promise<Transition[]> {
    const { to, author } = move;
    const retryAt = to === 'open' || to === 'half_open' ? sql`${this.clock} + s.recovery_ms * interval '1 millisecond'` : sql`NULL`;
    const { rows } = await sql<Transition>`
      WITH found AS (${move.found}),
      moved AS (
        UPDATE stripe_gateway.breaker_states s
        SET ${to === 'half_open' ? sql`` : sql`probe = NULL, `}${move.set ?? sql``}latched_by = ${move.latchedBy ?? sql`${to === 'auth' ? author.service : null}`}, state = ${to}, version = s.version + 1, since = ${this.clock}, retry_at = ${retryAt}
        FROM found WHERE s.name = found.name AND ${move.isAsFound ?? sql`true`}
        RETURNING s.name, s.version, s.since, s.retry_at, found.from_state, found.calls, found.failures
      )
      INSERT INTO stripe_gateway.transitions
        (breaker, version, from_state, to_state, cause, at, process, correlation_id, calls, failures, retry_at, actor, reason)
      SELECT name, version, from_state, ${to}, ${move.cause}, since, ${author.process}, ${author.correlationId}, calls, failures, retry_at,
        ${author.actor ?? null}, ${author.reason ?? null}
      FROM moved
      RETURNING breaker, version, from_state, to_state, cause`.execute(db);
    return rows;
  }
}

/** In order, so that no two statements wait for each other. */
const ROWS = sql`SELECT name, state AS from_state, version, NULL::bigint AS calls, NULL::bigint AS failures FROM stripe_gateway.breaker_states`;
const LOCKED = sql`ORDER BY name FOR UPDATE`;
const LATCH_STAYS = sql`s.latched_by`;

/** Of the table's row: see `slotMs` of libs/resilience. */
const SLOT_MS = sql`least(3000, window_ms / 20.0)`;

const ms = (time: RawBuilder<unknown>): RawBuilder<number> => sql<number>`(extract(epoch from ${time}) * 1000)::float8`;
