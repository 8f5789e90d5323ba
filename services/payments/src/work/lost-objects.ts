import { everyPage } from '@tidegate/stripe-gateway/every-page';
import { type ListQuery, type Page, type StripeFailure, type StripeOutcome } from '@tidegate/stripe-gateway/port';
import { type Kysely } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { type Restore, restoresOf } from './restores.store.js';

interface Made {
  id: string;
  metadata: Record<string, string>;
}

export interface LostObjectsDeps<T extends Made> {
  db: Kysely<PaymentsTables>;
  list(query: ListQuery): Promise<StripeOutcome<Page<T>>>;
  retrieve(id: string): Promise<StripeOutcome<T>>;
  /** Under which of our ids in its metadata an object is looked for. */
  marked: string;
}

/** Clocks differ. Seconds. */
const AROUND = 300;

type Found = { kind: 'ok'; value: ReadonlyMap<string, readonly string[]> } | StripeFailure;

/**
 * What was made at Stripe in the times whose record a restore has lost. A request of such a time may be repeated when Stripe has forgotten its key, or with parameters
 * that follow from another clock, and would make a second one. Those times are over, so the list of each is read once per process, and what is in it is retrieved.
 */
export class LostObjects<T extends Made> {
  private readonly scans = new Map<number, Promise<Found>>();

  constructor(private readonly deps: LostObjectsDeps<T>) {}

  /** Those that carry this id, as they are now; of a database that was never restored nothing is asked. */
  async of(id: string): Promise<{ kind: 'ok'; value: T[] } | StripeFailure> {
    const value: T[] = [];
    for (const restore of await restoresOf(this.deps.db)) {
      const lost = await this.madeBefore(restore);
      if (lost.kind !== 'ok') return lost;
      for (const one of lost.value.get(id) ?? []) {
        const outcome = await this.deps.retrieve(one);
        if (outcome.kind === 'not_found') continue;
        if (outcome.kind !== 'ok') return outcome;
        value.push(outcome.value);
      }
    }
    return { kind: 'ok', value };
  }

  private async madeBefore(restore: Restore): Promise<Found> {
    const key = restore.restored_at.getTime();
    const scan = this.scans.get(key) ?? this.scan(restore);
    this.scans.set(key, scan);
    try {
      const found = await scan;
      if (found.kind !== 'ok') this.scans.delete(key);
      return found;
    } catch (error) {
      this.scans.delete(key);
      throw error;
    }
  }

  private async scan({ restore_point, restored_at }: Restore): Promise<Found> {
    const created = { gte: seconds(restore_point) - AROUND, lte: seconds(restored_at) + AROUND };
    const all = await everyPage((query) => this.deps.list(query), { created });
    if (all.kind !== 'ok') return all;
    const found = new Map<string, string[]>();
    for (const { id, metadata } of all.value) {
      const ours = metadata[this.deps.marked];
      if (ours !== undefined) found.set(ours, [...(found.get(ours) ?? []), id]);
    }
    return { kind: 'ok', value: found };
  }
}

/** What either list has, each once. */
export const together = <T extends { id: string }>(some: readonly T[], others: readonly T[]): T[] => [
  ...some,
  ...others.filter(({ id }) => !some.some((one) => one.id === id)),
];

const seconds = (at: Date): number => Math.floor(at.getTime() / 1000);
