import { type Kysely, type Transaction } from 'kysely';
import { type Failpoints } from './failpoints.js';

/** What a transaction needs besides its work. */
export interface Steps<T> {
  db: Kysely<T>;
  failpoints: Failpoints;
}

/**
 * Runs `work` in one transaction (READ COMMITTED) between the failpoints `<name>.before_commit` and `<name>.after_commit`. Anything thrown rolls back,
 * except at `after_commit`, where it is already done. Never call another system inside `work`.
 */
export async function inTransaction<T, R>(steps: Steps<T>, name: string, work: (tx: Transaction<T>) => Promise<R>): Promise<R> {
  const result = await steps.db.transaction().execute(async (tx) => {
    const value = await work(tx);
    await steps.failpoints.hit(`${name}.before_commit`);
    return value;
  });
  await steps.failpoints.hit(`${name}.after_commit`);
  return result;
}

/**
 * The same for work that is a single statement, which is a transaction by itself and needs no round trips for its begin and its end: at `before_commit` nothing
 * has been sent yet.
 */
export async function inStatement<T, R>(steps: Steps<T>, name: string, statement: (db: Kysely<T>) => Promise<R>): Promise<R> {
  await steps.failpoints.hit(`${name}.before_commit`);
  const result = await statement(steps.db);
  await steps.failpoints.hit(`${name}.after_commit`);
  return result;
}
