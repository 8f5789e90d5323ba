import { type Cause } from '../http/call.js';
import { type Invoice } from './invoice.js';

/** What a subscription needs to know of its invoices. */
export interface InvoiceChange {
  readonly kind: 'paid' | 'payment_failed' | 'retries_exhausted' | 'finalizing' | 'voided' | 'uncollectible' | 'overdue';
  readonly invoice: Invoice;
}

type Follower = (change: InvoiceChange, cause: Cause) => void;

/** Tells subscriptions what became of their invoices, after the invoice's own events. */
export class InvoiceChanges {
  private readonly followers: Follower[] = [];

  /** The follower must not throw. */
  on(follower: Follower): void {
    this.followers.push(follower);
  }

  tell(change: InvoiceChange, cause: Cause): void {
    for (const follow of this.followers) follow(change, cause);
  }
}
