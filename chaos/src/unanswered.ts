import { type Arena } from './arena.js';

/** Requests with an Idempotency-Key that have no answer to keep, although all that they were about is certain by now. */
export async function unanswered({ sql }: Pick<Arena, 'sql'>): Promise<string[]> {
  const rows = await sql<{ route: string; key: string }>(
    'SELECT route, key FROM payments.idempotency_keys WHERE status IS NULL ORDER BY created_at',
  );
  return rows.map(({ route, key }) => `${route} (${key}) has no answer`);
}
