import { type Failpoints } from '@tidegate/database/failpoints';
import { inStatement } from '@tidegate/database/transaction';
import { type UsageRejection } from '@tidegate/contracts/usage';
import { type Kysely } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { type Usage } from './usage-event.decide.js';
import { differing, insertUsage, nameOf, ownersOf } from './usage-event.store.js';

export interface IntakeDeps {
  db: Kysely<PaymentsTables>;
  failpoints: Failpoints;
  clock: { now(): Date };
  /** How long usage waits for more of its hour before it is reported. */
  reportAfterMs: number;
}

/** What became of one event; `accepted` and `parked` are on disk. */
export type Fate = 'accepted' | 'parked' | 'duplicate' | UsageRejection;

interface Waiting {
  events: readonly Usage[];
  resolve(fates: Fate[]): void;
  reject(error: unknown): void;
}

/** Events of one statement at most, more than one request has. */
const MOST_AT_ONCE = 4_000;
/** Statements under way at once: while one waits for the disk, another one is made ready. */
const IN_FLIGHT = 2;

/** Takes usage in: requests that come while others are being stored share the next statement, and with it the wait for the disk. */
export class UsageIntake {
  private waiting: Waiting[] = [];
  private inFlight = 0;

  constructor(private readonly deps: IntakeDeps) {}

  /** Resolves when all of it is on disk, with the fate of each event in their order. */
  record(events: readonly Usage[]): Promise<Fate[]> {
    if (events.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.waiting.push({ events, resolve, reject });
      this.pump();
    });
  }

  private pump(): void {
    while (this.inFlight < IN_FLIGHT && this.waiting.length > 0) {
      const group = this.nextGroup();
      this.inFlight += 1;
      void this.storeAll(group).finally(() => {
        this.inFlight -= 1;
        this.pump();
      });
    }
  }

  private nextGroup(): Waiting[] {
    let count = 0;
    const fits = this.waiting.findIndex(({ events }, nth) => (count += events.length) > MOST_AT_ONCE && nth > 0);
    return this.waiting.splice(0, fits === -1 ? this.waiting.length : fits);
  }

  /** What fails together is tried again one by one, so that nobody fails for somebody else's sake. */
  private async storeAll(group: readonly Waiting[]): Promise<void> {
    try {
      const fates = await this.store(group.flatMap(({ events }) => events));
      let from = 0;
      for (const { events, resolve } of group) resolve(fates.slice(from, (from += events.length)));
    } catch (error) {
      if (group.length === 1) return group[0]?.reject(error);
      for (const one of group) await this.storeAll([one]);
    }
  }

  private async store(events: readonly Usage[]): Promise<Fate[]> {
    const { db, clock, reportAfterMs } = this.deps;
    const now = clock.now();
    const owners = await ownersOf(db, events);
    const candidates = events.flatMap((event, nth) => (owners[nth] === 'not' ? [] : [{ ...event, parked: owners[nth] === 'unknown' }]));
    const times = { now, dueAt: new Date(now.getTime() + reportAfterMs) };
    const fresh =
      candidates.length === 0
        ? new Set<string>()
        : await inStatement(this.deps, 'payments.usage.record', () => insertUsage(db, candidates, times));
    const fates = events.map((event, nth): Fate => {
      if (owners[nth] === 'not') return 'not_found';
      // Only the first of several with one id is the one that was stored.
      if (!fresh.delete(nameOf(event))) return 'duplicate';
      return owners[nth] === 'unknown' ? 'parked' : 'accepted';
    });
    const before = events.flatMap((event, nth) => (fates[nth] === 'duplicate' ? [{ ...event, nth }] : []));
    for (const index of await differing(db, before)) {
      const event = before[index];
      if (event) fates[event.nth] = 'usage.id_reused';
    }
    return fates;
  }
}
