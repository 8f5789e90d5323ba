import { everyPage } from '@tidegate/stripe-gateway/every-page';
import { type Intent } from '@tidegate/stripe-gateway/intent';
import { type StripeFailure, type StripePort } from '@tidegate/stripe-gateway/port';
import { covers, unionOf, type Window } from './windows.decide.js';

/** A payment whose intent is looked for: within the window it may have been created, and no call for it was under way after `calledBefore`. */
export interface Sought extends Window {
  paymentId: string;
  calledBefore: Date;
}

export type Search = { kind: 'ok'; value: Intent[] } | StripeFailure;

export interface FinderDeps {
  stripe: StripePort;
  clock: { now(): Date };
  /** Every payment that will be looked for soon, so that one scan serves them all. */
  soughtSoon(): Promise<Sought[]>;
}

interface Waiting extends Sought {
  resolve(search: Search): void;
}

/** What one reading of Stripe's list told about the payments it was made for. */
interface Scan {
  startedAt: number;
  windows: Window[];
  /** By payment id; empty where there is none. */
  found: Map<string, Intent[]>;
}

/** Searches that come together wait so long for each other. */
const GATHER_MS = 20;
/** Clocks of processes that differ: a call of another process may have ended so much later than it says. */
const SKEW_MS = 2000;
/** Lists lag, by how much Stripe does not say, so an old absence is looked at again. */
const LASTS_MS = 30_000;

/**
 * Finds intents by the payment id in their metadata, which lists cannot filter by. One scan over the union of their windows serves all payments that are looked for
 * or will be soon, however many there are and whenever they come: after an outage the pages that are read are those of the windows, not of the payments. Absence
 * is told only by a scan that began after the payment's last call had ended and that read every page.
 */
export class IntentFinder {
  private waiting: Waiting[] = [];
  private latest: Scan | null = null;
  private scanning: Promise<void> | null = null;

  constructor(private readonly deps: FinderDeps) {}

  /** All intents created within the window that carry the payment id. */
  find(sought: Sought): Promise<Search> {
    const known = this.known(sought);
    if (known) return Promise.resolve({ kind: 'ok', value: known });
    return new Promise((resolve) => {
      this.waiting.push({ ...sought, resolve });
      this.scanning ??= this.scanAll();
    });
  }

  private known(sought: Sought): Intent[] | null {
    const { latest } = this;
    if (!latest || this.deps.clock.now().getTime() - latest.startedAt > LASTS_MS) return null;
    if (latest.startedAt < sought.calledBefore.getTime() + SKEW_MS || !covers(latest.windows, sought)) return null;
    return latest.found.get(sought.paymentId) ?? null;
  }

  /** One scan after another, until nobody waits. */
  private async scanAll(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
    while (this.waiting.length > 0) {
      const askers = this.waiting;
      this.waiting = [];
      const scan = await this.scan(askers).catch(brokenOff);
      if ('found' in scan) this.latest = scan;
      for (const { paymentId, resolve } of askers) resolve('found' in scan ? { kind: 'ok', value: scan.found.get(paymentId) ?? [] } : scan);
      // Who came meanwhile may be served by what was just read.
      const still = this.waiting;
      this.waiting = [];
      for (const one of still) {
        const known = this.known(one);
        if (known) one.resolve({ kind: 'ok', value: known });
        else this.waiting.push(one);
      }
    }
    this.scanning = null;
  }

  private async scan(askers: readonly Waiting[]): Promise<Scan | StripeFailure> {
    const sought: Sought[] = [...askers, ...(await this.deps.soughtSoon())];
    const startedAt = this.deps.clock.now().getTime();
    const found = new Map<string, Intent[]>(sought.map(({ paymentId }) => [paymentId, []]));
    const windows = unionOf(sought);
    for (const { from: gte, to: lte } of windows) {
      const all = await everyPage((query) => this.deps.stripe.listIntents(query), { created: { gte, lte } });
      if (all.kind !== 'ok') return all;
      for (const intent of all.value) found.get(intent.metadata['payment_id'] ?? '')?.push(intent);
    }
    return { startedAt, windows, found };
  }
}

/** Our own database was away: nothing is certain, as when Stripe is. */
const brokenOff = (error: unknown): StripeFailure => ({
  kind: 'unknown',
  cause: 'connection',
  stored: false,
  message: error instanceof Error ? error.message : String(error),
});
