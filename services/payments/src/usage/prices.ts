import { type Price } from '@tidegate/stripe-gateway/billing';
import { type StripeOutcome, type StripePort } from '@tidegate/stripe-gateway/port';

/** More than an account bills usage by; those that were asked for first go first. */
const MOST_KEPT = 10_000;

/** What prices make of usage, each asked for once per process: a price never changes in this (https://docs.stripe.com/api/prices/update). */
export class Prices {
  private readonly known = new Map<string, Price>();

  constructor(private readonly stripe: Pick<StripePort, 'retrievePrice'>) {}

  async find(id: string): Promise<StripeOutcome<Price>> {
    const kept = this.known.get(id);
    if (kept) return { kind: 'ok', value: kept, requestId: null };
    const answer = await this.stripe.retrievePrice(id);
    if (answer.kind === 'ok') this.keep(answer.value);
    return answer;
  }

  private keep(price: Price): void {
    const [oldest] = this.known.keys();
    if (this.known.size >= MOST_KEPT && oldest !== undefined) this.known.delete(oldest);
    this.known.set(price.id, price);
  }
}
