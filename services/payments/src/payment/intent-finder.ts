import { everyPage } from '@tidegate/stripe-gateway/every-page';
import { type Intent } from '@tidegate/stripe-gateway/intent';
import { type StripeFailure, type StripePort } from '@tidegate/stripe-gateway/port';

/** Times in epoch seconds. */
export interface Window {
  from: number;
  to: number;
}

export type Search = { kind: 'ok'; value: Intent[] } | StripeFailure;

interface Waiting extends Window {
  paymentId: string;
  resolve(search: Search): void;
}

const GATHER_MS = 20;

/**
 * Finds intents by the payment id in their metadata, which lists cannot filter by. Searches that come together share one scan over the union of their
 * windows, so that after an outage each page is read once. Absence is certain, because an answer is given only when every page was read.
 */
export class IntentFinder {
  private waiting: Waiting[] = [];

  constructor(private readonly stripe: StripePort) {}

  /** All intents created within the window that carry the payment id. */
  find(paymentId: string, window: Window): Promise<Search> {
    return new Promise((resolve) => {
      this.waiting.push({ paymentId, ...window, resolve });
      if (this.waiting.length === 1) setTimeout(() => void this.scan(), GATHER_MS);
    });
  }

  private async scan(): Promise<void> {
    const searches = this.waiting;
    this.waiting = [];
    const gte = Math.min(...searches.map((search) => search.from));
    const lte = Math.max(...searches.map((search) => search.to));
    const all = await everyPage((query) => this.stripe.listIntents(query), { created: { gte, lte } });
    for (const search of searches) {
      search.resolve(
        all.kind === 'ok' ? { kind: 'ok', value: all.value.filter((intent) => intent.metadata['payment_id'] === search.paymentId) } : all,
      );
    }
  }
}
