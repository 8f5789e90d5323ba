import type { ReplayOrderView } from '@tidegate/contracts/ops/webhook-events';
import { type Kysely, sql } from 'kysely';
import { type EventFilter, matching } from '../stripe-event/event-filter.js';
import type { WebhooksTables } from '../tables.js';

/** Counting ends here: it has to be quick over ten million events. */
export const MOST_COUNTED = 100_000;

export type Preview = Pick<ReplayOrderView, 'matched' | 'more' | 'by_status' | 'by_type' | 'oldest' | 'newest'>;

type Counted = Preview['by_status'][number] & Preview['by_type'][number] & { oldest: Date | null; newest: Date | null };

/** What a filter means now, counted up to `most`. */
export async function preview(db: Kysely<WebhooksTables>, filter: EventFilter, most = MOST_COUNTED): Promise<Preview> {
  const { rows } = await sql<{ [Field in keyof Counted]: Counted[Field] | null }>`
    SELECT status, type, count(*)::int AS count, min(created) AS oldest, max(created) AS newest FROM (
      SELECT processing_outcome AS status, event_type AS type, created FROM stripe_events WHERE ${matching(filter)} LIMIT ${most + 1}
    ) AS counted GROUP BY GROUPING SETS ((status), (type), ())
    ORDER BY count DESC, status, type`.execute(db);
  const all = rows.find((row) => row.status === null && row.type === null);
  const counted = all?.count ?? 0;
  return {
    matched: Math.min(counted, most),
    more: counted > most,
    by_status: rows.flatMap(({ status, count }) => (status === null ? [] : [{ status, count: count ?? 0 }])),
    by_type: rows.flatMap(({ type, count }) => (type === null ? [] : [{ type, count: count ?? 0 }])),
    oldest: all?.oldest?.toISOString() ?? null,
    newest: all?.newest?.toISOString() ?? null,
  };
}

/** Which of these ids are not stored, for this tenant if one asks. */
export async function unknownIds(db: Kysely<WebhooksTables>, ids: readonly string[], tenant: string | null): Promise<string[]> {
  const { rows } = await sql<{ stripe_event_id: string }>`
    SELECT stripe_event_id FROM stripe_events WHERE ${matching({ ids, only: tenant ?? undefined })}`.execute(db);
  const known = new Set(rows.map((row) => row.stripe_event_id));
  return ids.filter((id) => !known.has(id));
}
