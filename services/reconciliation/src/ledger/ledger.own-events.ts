import { readNext } from '@tidegate/event-store/read-next';
import type { OwnEvents } from '@tidegate/messaging/replay/projection';
import { sql } from 'kysely';
import type { FeeRecorded } from './fee.events.js';
import { FEE_STREAMS } from './fee.events.js';
import { postMovement } from './ledger.store.js';

const PAGE = 500;

/** The half of the ledger that follows from our own FeeRecorded. A replay that is about certain payments only leaves it alone. */
export const ledgerOwnEvents: OwnEvents = {
  async page(tx, before, touched) {
    const among = touched ? sql`false` : sql`stream LIKE ${FEE_STREAMS}`;
    const { events, cursor, read } = await readNext(tx, before, PAGE, among);
    for (const { data } of events) {
      const { tenant, ...movement } = data as FeeRecorded['data'];
      await postMovement(tx, movement, tenant);
    }
    return { cursor, read };
  },
};
