import { expect } from '@jest/globals';
import { type Db, openDatabase } from '@tidegate/database/database';
import { type BreakerRules } from '@tidegate/resilience/breaker';
import { createLogger } from '@tidegate/telemetry/logger';
import { postgresForTests } from '@tidegate/test-harness/postgres';
import { sql } from 'kysely';
import { type StripeOutcome } from '../src/outcome.js';
import { type Operation } from '../src/port.js';
import { Fleet, type FleetOptions } from '../src/fleet/fleet.js';
import { type FleetChange } from '../src/fleet/follower.js';

/** One process of a fleet as a test sees it. */
export interface TestProcess {
  fleet: Fleet;
  changes: FleetChange[];
  lines: Record<string, unknown>[];
  /** Its Stripe key from now on. */
  useKey(fingerprint: string): void;
  /** Makes a call that ends with that outcome; answers what the caller gets. */
  call(outcome: StripeOutcome<string>, operation?: Operation): Promise<StripeOutcome<string>>;
}

export const TIMEOUT: StripeOutcome<never> = { kind: 'unknown', cause: 'timeout', stored: false, message: 'no answer' };
export const OK: StripeOutcome<string> = { kind: 'ok', value: 'yes', requestId: null };

/** Rules under which a test need not wait long. */
export const QUICK: BreakerRules = { threshold: 5, ratio: 0.5, windowMs: 60_000, recoveryMs: 1_000 };

/** What becomes of calls, in no order. */
export const kinds = (outcomes: StripeOutcome<unknown>[]): string[] => outcomes.map((one) => one.kind).sort();

/** A database with the schema `stripe_gateway` and any number of processes on it; for tests. */
export async function openTestFleet(rules: BreakerRules = QUICK, perSecond = 100_000) {
  const database = await postgresForTests();
  const logger = createLogger({ service: 'fleet', level: 'silent' });
  const admin = openDatabase<Record<string, never>>({ url: database.url, poolSize: 2, applicationName: 'fleet-admin' }, logger);
  const opened: { close(): Promise<void> }[] = [];
  let calls = 0;

  function process(options: Partial<FleetOptions> = {}): TestProcess & { stop(): Promise<void> } {
    const service = options.service ?? 'payments';
    const { db, close } = openDatabase<Record<string, never>>(
      { url: database.urlFor(service), poolSize: 3, applicationName: `fleet-${opened.length}` },
      logger,
    );
    let key = 'sha256:first';
    const changes: FleetChange[] = [];
    const lines: Record<string, unknown>[] = [];
    const note = (fields: Record<string, unknown>) => void lines.push(fields);
    const fleet = new Fleet({
      db,
      service,
      instance: `${service}-${opened.length + 1}`,
      logger: { debug: note, info: note, warn: note, error: note, child: () => logger },
      keyFingerprint: () => key,
      slowMs: 5_000,
      maxInFlight: 1_000,
      onChange: (change) => changes.push(change),
      ...options,
    });
    fleet.start().catch(() => undefined);
    let stopped: Promise<void> | undefined;
    const stop = () => (stopped ??= fleet.stop().then(close));
    opened.push({ close: stop });
    return {
      fleet,
      changes,
      lines,
      stop,
      useKey: (fingerprint) => {
        key = fingerprint;
      },
      call: (outcome, operation = 'cancelIntent') =>
        fleet.run(operation, () => {
          calls += 1;
          return Promise.resolve(outcome);
        }),
    };
  }

  const first = process();
  await first.fleet.breakers.setRules(rules);
  await first.fleet.limiter.setRate(perSecond);
  await first.fleet.refresh();

  return {
    db: admin.db as Db,
    first,
    process,
    /** Calls that were let through, by any process. */
    calls: () => calls,
    transitions: async () =>
      (
        await sql<{ breaker: string; from_state: string; to_state: string; cause: string }>`
          SELECT breaker, from_state, to_state, cause FROM stripe_gateway.transitions ORDER BY id`.execute(admin.db)
      ).rows,
    /** So many calls time out, one after another. */
    fail: async (times: number, one: TestProcess = first) => {
      for (let i = 0; i < times; i += 1) await one.call(TIMEOUT);
    },
    /** The recovery time of whatever is open is so much closer to its end. */
    pass: (ms: number) =>
      sql`UPDATE stripe_gateway.breaker_states SET retry_at = retry_at - ${ms} * interval '1 millisecond'`.execute(admin.db),
    /** One connection waits for a lock, as this transaction sees it. */
    expectOneWaits: async (tx: Db) => {
      const { rows } = await sql`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`.execute(tx);
      expect(rows).toHaveLength(1);
    },
    /** As on the first day, with the first process only. */
    clear: async () => {
      for (const one of opened.splice(1)) await one.close();
      await sql`
        UPDATE stripe_gateway.breaker_states SET state = 'closed', version = version + 1, retry_at = NULL, probe = NULL, latched_by = NULL,
          last_failure_at = NULL, refused_keys = '{}'`.execute(admin.db);
      for (const table of ['buckets', 'transitions', 'operation_holds'])
        await sql`DELETE FROM stripe_gateway.${sql.ref(table)}`.execute(admin.db);
      await sql`UPDATE stripe_gateway.limiter SET factor = 1, limited_at = NULL, limited_reason = NULL, filled_at = clock_timestamp()`.execute(
        admin.db,
      );
      first.useKey('sha256:first');
      await first.fleet.refresh();
      first.changes.length = 0;
      first.lines.length = 0;
      calls = 0;
    },
    close: async () => {
      for (const one of opened) await one.close();
      await admin.close();
      await database.drop();
    },
  };
}

export type TestFleet = Awaited<ReturnType<typeof openTestFleet>>;
