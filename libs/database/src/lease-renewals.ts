import { type Kysely, sql } from 'kysely';

/** A lease as its holder believes to have it. */
export interface HeldLease {
  name: string;
  holder: string;
  epoch: number;
  ttlMs: number;
}

interface Waiting {
  lease: HeldLease;
  settle(renewed: boolean): void;
  fail(error: unknown): void;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's database
type AnyDb = Kysely<any>;

const RENEW_MS = 1_000;

const waiting = new WeakMap<AnyDb, Waiting[]>();
const beats = new Set<() => void>();
let beat: NodeJS.Timeout | undefined;

/**
 * Calls `renew` each second from now on, in the same moment as all others of this process, so that what they renew goes into one statement. Answers how to end
 * that. The first call comes within a second.
 */
export function eachRenewal(renew: () => void): () => void {
  const mine = () => renew();
  beats.add(mine);
  beat ??= setInterval(() => {
    for (const one of beats) one();
  }, RENEW_MS);
  return () => {
    if (!beats.delete(mine) || beats.size > 0) return;
    clearInterval(beat);
    beat = undefined;
  };
}

/** Prolongs a lease together with all others of the database that are asked for in the same moment; each learns for itself whether it was. */
export function renewTogether(db: AnyDb, lease: HeldLease): Promise<boolean> {
  return new Promise((settle, fail) => {
    const others = waiting.get(db);
    if (others) return void others.push({ lease, settle, fail });
    waiting.set(db, [{ lease, settle, fail }]);
    queueMicrotask(() => {
      const all = waiting.get(db) ?? [];
      waiting.delete(db);
      renewAll(db, all).catch((error: unknown) => {
        for (const one of all) one.fail(error);
      });
    });
  });
}

async function renewAll(db: AnyDb, all: readonly Waiting[]): Promise<void> {
  const { rows } = await sql<{ name: string; holder: string; epoch: number }>`
    UPDATE leases AS l SET expires_at = clock_timestamp() + mine.ttl_ms * interval '1 millisecond'
    FROM unnest(
      ${all.map(({ lease }) => lease.name)}::text[], ${all.map(({ lease }) => lease.holder)}::text[],
      ${all.map(({ lease }) => lease.epoch)}::bigint[], ${all.map(({ lease }) => lease.ttlMs)}::bigint[]
    ) AS mine(name, holder, epoch, ttl_ms)
    WHERE l.name = mine.name AND l.holder = mine.holder AND l.epoch = mine.epoch AND l.expires_at > clock_timestamp()
    RETURNING l.name, l.holder, l.epoch`.execute(db);
  const renewed = new Set(rows.map(keyOf));
  for (const { lease, settle } of all) settle(renewed.has(keyOf(lease)));
}

const keyOf = ({ name, holder, epoch }: Omit<HeldLease, 'ttlMs'>): string => JSON.stringify([name, holder, epoch]);
