import { sql } from 'kysely';
import { type Handler } from '../../src/incoming.js';
import { type Projection } from '../../src/replay/projection.js';

/** Not idempotent on purpose: a message that counts twice shows. */
export const totals: Handler & { projector: true } = {
  projector: true,
  async handle(tx, message) {
    const { n } = message.envelope.data as { n: number };
    await sql`
      INSERT INTO totals (aggregate, messages, sum) VALUES (${message.aggregate}, 1, ${n})
      ON CONFLICT (aggregate) DO UPDATE SET messages = totals.messages + 1, sum = totals.sum + ${n}`.execute(tx);
  },
};

export const totalsProjection = (handler: Pick<Handler, 'handle'> = totals): Projection => ({
  sources: [{ durable: 'reconciliation-payments', stream: 'PAYMENTS_EVENTS', handler }],
  tables: ['totals'],
});
