import { type Kysely, sql } from 'kysely';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any service's database
type AnyDb = Kysely<any>;

/** Those who ask within this time share an answer. */
const SHARED_MS = 100;

const looks = new WeakMap<AnyDb, { at: number; answer: Promise<ReadonlyMap<string, string>> }>();

/** Who holds which lease of this database, as of at most 100 ms ago. A lease that ran out is nobody's. */
export function takenLeases(db: AnyDb): Promise<ReadonlyMap<string, string>> {
  const now = performance.now();
  const last = looks.get(db);
  if (last && now - last.at < SHARED_MS) return last.answer;
  const answer = read(db);
  looks.set(db, { at: now, answer });
  answer.catch(() => looks.delete(db));
  return answer;
}

async function read(db: AnyDb): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{
    name: string;
    holder: string;
  }>`SELECT name, holder FROM leases WHERE expires_at > clock_timestamp()`.execute(db);
  return new Map(rows.map(({ name, holder }) => [name, holder]));
}
