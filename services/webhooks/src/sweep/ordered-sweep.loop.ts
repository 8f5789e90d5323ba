import { inTransaction } from '@tidegate/database/transaction';
import type { Logger } from '@tidegate/telemetry/logger';
import { type Pass, readWindow, type WindowParts } from './read-window.js';
import { advanceOrder, countFound, openOrder } from './sweep.store.js';
import { CHUNK_SECONDS } from './window.decide.js';

export interface OrderedSweepParts extends WindowParts {
  logger: Logger;
}

/** Reads the times once more that operators ordered, an hour in each pass. The leader runs it, after its own sweep. */
export class OrderedSweep {
  constructor(private readonly parts: OrderedSweepParts) {}

  /** One hour of the oldest order; 0 when there is none. Throws SweepIncomplete: the order stays where it was. */
  async runOnce({ epoch, ...pass }: { epoch: number | null } & Pass): Promise<number> {
    const { db, clock, logger } = this.parts;
    const order = await openOrder(db);
    if (!order) return 0;
    const end = Math.floor(order.until.getTime() / 1000) + 1;
    const gte = Math.floor(order.swept_until.getTime() / 1000);
    const lt = Math.min(end, gte + CHUNK_SECONDS);
    const along: Pass['along'] = (tx, found) => countFound(tx, order.id, found);
    const found = gte < lt ? await readWindow(this.parts, { gte, lt }, { ...pass, along }) : { events: 0, missed: 0 };
    const finishedAt = lt >= end ? clock.now() : null;
    const to = { sweptUntil: finishedAt ? order.until : new Date(lt * 1000), finishedAt };
    const advanced = await inTransaction(this.parts, 'webhooks.sweep.advance', (tx) => advanceOrder(tx, order.id, to, epoch ?? 0));
    if (!advanced) return 0;
    if (finishedAt)
      logger.info(
        { event: 'webhook_sweep_order_completed', order: order.id, found: order.found + found.events, missed: order.missed + found.missed },
        'A sweep that was ordered is complete',
      );
    return 1;
  }
}
