import { inTransaction } from '@tidegate/database/transaction';
import { askAgainAt, awaitedCustomers, knownCustomers, learn, letGo } from '../normalize/customer-tenants.store.js';
import { retryAfterMs } from '../normalize/retry.decide.js';
import { atOnce } from './at-once.js';
import { askCustomer } from './customer.ask.js';
import { AT_ONCE, type HintParts, type Pass } from './hint.loop.js';

export type ParkedParts = Omit<HintParts, 'accountTenants' | 'staged'> & {
  /** Events wait to be published. */
  released(): void;
};

const BATCH = 100;

/**
 * Finds out whose the customers are that parked events wait for: each is asked for once, however many events wait. One that told of itself meanwhile (its own
 * event was published) is not asked for. When Stripe cannot be asked, its events wait on.
 */
export class Parked {
  constructor(private readonly parts: ParkedParts) {}

  /** One batch; the number of customers whose events go on. */
  async runOnce({ stopping, alive }: Pass = {}): Promise<number> {
    const { db, clock } = this.parts;
    const awaited = await awaitedCustomers(db, BATCH, clock.now());
    if (awaited.length === 0) return 0;
    const known = await knownCustomers(
      db,
      awaited.map(({ customer }) => customer),
    );
    await letGo(db, [...known.keys()]);
    let released = known.size;
    const unknown = awaited.filter(({ customer }) => !known.has(customer));
    await atOnce(AT_ONCE, unknown, async (one) => {
      if (stopping?.aborted) return;
      if (await this.ask(one)) released += 1;
      alive?.();
    });
    if (released > 0) this.parts.released();
    return released;
  }

  private async ask({ customer, attempts }: { customer: string; attempts: number }): Promise<boolean> {
    const now = this.parts.clock.now();
    const asked = await askCustomer(this.parts.stripe, customer);
    if (asked.kind === 'later') {
      this.parts.unanswered?.();
      const pause = Math.max(asked.retryAfterMs ?? 0, retryAfterMs(attempts));
      await askAgainAt(this.parts.db, customer, new Date(now.getTime() + pause));
      return false;
    }
    await inTransaction(this.parts, 'webhooks.parked.release', (tx) => learn(tx, [asked.said], now));
    return true;
  }
}
