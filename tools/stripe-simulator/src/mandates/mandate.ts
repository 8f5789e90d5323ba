import { type Stored } from '../store/collection.js';

/** The customer's permission to debit a bank account. */
export interface Mandate extends Stored {
  readonly object: 'mandate';
  readonly customer_acceptance: object;
  readonly livemode: false;
  readonly multi_use?: object;
  readonly payment_method: string;
  readonly payment_method_details: object;
  readonly single_use?: { readonly amount: number; readonly currency: string };
  readonly status: 'active' | 'inactive';
  readonly type: 'multi_use' | 'single_use';
}
