import { setTimeout as delay } from 'node:timers/promises';
import { type Kysely } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { hearOf } from './wake.js';
import { acquireDue, type Held, type ObjectKind } from './work.store.js';

export interface ObjectLoopDeps {
  db: Kysely<PaymentsTables>;
  clock: { now(): Date };
  instance: string;
  kind: ObjectKind;
  fleet: Parameters<typeof hearOf>[1];
  /** One tenure of a lease; does not throw. */
  carryOne(held: Held): Promise<void>;
}

/** How often due checkouts, customers, subscriptions and invoices are looked for; a signal makes it sooner. */
export const OBJECT_INTERVAL_MS = 1000;
const AT_ONCE = 10;

/** Carries on the objects of one kind whose time has come or whose holder is gone, in any replica; leases keep two from the same one. */
export class ObjectLoop {
  private readonly inHand = new Set<Promise<void>>();
  private passes = 0;

  constructor(private readonly deps: ObjectLoopDeps) {}

  /** One pass: begins what is due, as far as places are free, and answers how many. Waits for what it began, `patienceMs` at most. */
  async runOnce(patienceMs: number): Promise<number> {
    const { db, clock, instance, kind, fleet } = this.deps;
    const free = AT_ONCE - this.inHand.size;
    const due = free > 0 ? await acquireDue(db, `${instance}#${kind}${(this.passes += 1)}`, clock.now(), free, kind) : [];
    await hearOf(due, fleet);
    for (const held of due) {
      const work = this.deps.carryOne(held).finally(() => this.inHand.delete(work));
      this.inHand.add(work);
    }
    if (this.inHand.size > 0) await Promise.race([Promise.all(this.inHand), delay(patienceMs, undefined, { ref: false })]);
    return due.length;
  }

  async idle(): Promise<void> {
    await Promise.all(this.inHand);
  }
}
