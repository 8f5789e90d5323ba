import { type Metadata } from '../schema/metadata-param.js';
import { type Stored } from '../store/collection.js';

export type PayoutStatus = 'pending' | 'in_transit' | 'paid' | 'failed' | 'canceled';

export interface Payout extends Stored {
  readonly object: 'payout';
  readonly amount: number;
  readonly application_fee: null;
  readonly application_fee_amount: null;
  readonly arrival_date: number;
  readonly automatic: boolean;
  readonly balance_transaction: string;
  readonly created: number;
  readonly currency: string;
  readonly description: string | null;
  readonly destination: string;
  readonly failure_balance_transaction: string | null;
  readonly failure_code: string | null;
  readonly failure_message: string | null;
  readonly livemode: false;
  readonly metadata: Metadata;
  readonly method: 'standard';
  readonly original_payout: null;
  readonly payout_method: null;
  readonly reconciliation_status: 'not_applicable' | 'in_progress' | 'completed';
  readonly reversed_by: null;
  readonly source_type: string;
  readonly statement_descriptor: string | null;
  readonly status: PayoutStatus;
  readonly trace_id: { readonly status: string; readonly value: string | null } | null;
  readonly type: 'bank_account';
}

/** Which automatic payout a balance transaction (`id`) left with. Shown only by the `payout` filter of the list. */
export interface PaidOut extends Stored {
  readonly payout: string;
}
