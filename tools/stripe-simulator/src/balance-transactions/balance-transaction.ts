import { type Stored } from '../store/collection.js';

export type BalanceType =
  | 'charge'
  | 'payment'
  | 'refund'
  | 'payment_refund'
  | 'refund_failure'
  | 'payment_failure_refund'
  | 'adjustment'
  | 'payout'
  | 'payout_failure'
  | 'payout_cancel';

export interface BalanceTransaction extends Stored {
  readonly object: 'balance_transaction';
  readonly amount: number;
  readonly available_on: number;
  readonly balance_type: 'payments';
  readonly created: number;
  readonly currency: string;
  readonly description: string | null;
  /** From the currency of what moved the money; null when it is the balance's. */
  readonly exchange_rate: number | null;
  readonly fee: number;
  readonly fee_details: readonly object[];
  readonly net: number;
  readonly reporting_category: string;
  readonly source: string;
  readonly status: 'pending' | 'available';
  readonly type: BalanceType;
}
