import { sql } from 'kysely';
import { type Handler } from '../../src/incoming.js';

/** A projector that takes pages. Not idempotent on purpose, and what it wrote is in the order in which it was told. */
export const paged: Handler & Required<Pick<Handler, 'handleAll'>> = {
  projector: true,
  handle: (tx, message) => paged.handleAll(tx, [message]),
  async handleAll(tx, messages) {
    const each = <T>(value: (message: (typeof messages)[number]) => T): T[] => messages.map(value);
    await sql`
      INSERT INTO effects (consumer, message_id, position, aggregate, n, worker)
      SELECT consumer, message_id, position, aggregate, n, 'page' FROM unnest(${each((one) => one.consumer)}::text[], ${each((one) => one.messageId)}::uuid[],
        ${each((one) => one.position)}::bigint[], ${each((one) => one.aggregate)}::text[],
        ${each((one) => (one.envelope.data as { n: number }).n)}::int[]) WITH ORDINALITY AS told(consumer, message_id, position, aggregate, n, nth)
      ORDER BY nth`.execute(tx);
  },
};
