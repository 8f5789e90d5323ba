import type { SetAside, SetAsideQuery, SetAsideStore } from '@tidegate/messaging/set-aside';
import type { Metrics } from '@tidegate/telemetry/metrics';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Tables } from '../tables.js';

/** The name under which operators find receipts whose document was given up. */
export const PARKED_CONSUMER = 'receipts-documents';

interface ParkedRow {
  receipt_id: string;
  payment_id: string;
  error: string | null;
  attempts: number;
  issued_at: Date;
}

/**
 * Receipts whose document is not tried any more, because payments has not known their payment for a day. Replay tries again at once. They have a number, so none
 * can be discarded: the document is owed.
 */
export function parkedDocuments(
  db: Kysely<Tables>,
  { clock, due }: { clock: { now(): Date }; /** A document is due. */ due(): void },
): SetAsideStore {
  return {
    async list(query) {
      if (!isMeant(query)) return [];
      const { rows } = await sql<ParkedRow>`
        SELECT r.receipt_id, r.payment_id, r.error, w.attempts, date_trunc('milliseconds', r.issued_at) AS issued_at
        FROM renderings w JOIN receipts r USING (receipt_id)
        WHERE ${matching(query)} ORDER BY date_trunc('milliseconds', r.issued_at), r.receipt_id COLLATE "C" LIMIT ${query.limit}`.execute(
        db,
      );
      return rows.map(setAside);
    },
    async count(query) {
      if (!isMeant(query)) return 0;
      const { rows } = await sql<{ count: number }>`
        SELECT count(*)::int AS count FROM renderings w JOIN receipts r USING (receipt_id) WHERE ${matching(query)}`.execute(db);
      return rows[0]?.count ?? 0;
    },
    async get(consumer, key) {
      if (consumer !== PARKED_CONSUMER) return null;
      const [found] = await this.list({ among: [{ consumer, key }], limit: 1 });
      return found ? { ...found, payload: null, behind: { count: 0, first: [] } } : null;
    },
    async replay({ consumer, key }, audit) {
      if (consumer !== PARKED_CONSUMER) return false;
      const now = clock.now();
      const replayed = await db.transaction().execute(async (tx) => {
        const changed = await sql`
          UPDATE renderings SET due_at = ${now}, attempts = 0, leased_until = '-infinity'
          WHERE receipt_id = ${key} AND due_at = 'infinity'`.execute(tx);
        if ((changed.numAffectedRows ?? 0n) === 0n) return false;
        await audit(tx as never);
        return true;
      });
      if (replayed) due();
      return replayed;
    },
    discard: ({ consumer }) => Promise.resolve(consumer === PARKED_CONSUMER ? 'cannot_be_discarded' : false),
  };
}

/** `dead_letters` of parked documents, read at each scrape. */
export function registerParkedMetric(metrics: Metrics, parked: SetAsideStore): void {
  metrics.gauge<'consumer'>(
    'dead_letters',
    'Messages set aside as dead; each holds its aggregate.',
    { consumer: [PARKED_CONSUMER] },
    async (gauge) => gauge.set({ consumer: PARKED_CONSUMER }, await parked.count({ consumer: PARKED_CONSUMER })),
  );
}

const isMeant = ({ consumer, among }: Pick<SetAsideQuery, 'consumer' | 'among'>): boolean =>
  (consumer === undefined || consumer === PARKED_CONSUMER) && (!among || among.some((one) => one.consumer === PARKED_CONSUMER));

const REASON = sql`coalesce(r.error, 'payment_unknown')`;

function matching({ among, reason, after }: Partial<SetAsideQuery>): RawBuilder<unknown> {
  const conditions = [sql`w.due_at = 'infinity'`, sql`r.status <> 'rendered'`];
  if (among) conditions.push(sql`r.receipt_id = ANY(${among.map((one) => one.key)})`);
  if (reason !== undefined) conditions.push(sql`position(lower(${reason}) IN lower(${REASON})) > 0`);
  if (after) {
    const place = sql`(date_trunc('milliseconds', r.issued_at), ${PARKED_CONSUMER}::text COLLATE "C", r.receipt_id COLLATE "C")`;
    conditions.push(sql`${place} > (${after.at}, ${after.consumer}, ${after.key})`);
  }
  return sql.join(conditions, sql` AND `);
}

const setAside = (row: ParkedRow): SetAside => ({
  kind: 'parked',
  consumer: PARKED_CONSUMER,
  key: row.receipt_id,
  subject: 'receipt.document',
  aggregate: row.payment_id,
  reason: row.error ?? 'payment_unknown',
  attempts: row.attempts,
  at: row.issued_at,
});
