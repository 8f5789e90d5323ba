import { type Metadata } from '../schema/metadata-param.js';
import { type Stored } from '../store/collection.js';

export interface Customer extends Stored {
  readonly object: 'customer';
  readonly address: object | null;
  readonly balance: number;
  readonly created: number;
  readonly currency: string | null;
  readonly customer_account: null;
  readonly default_source: null;
  readonly delinquent: boolean;
  readonly description: string | null;
  readonly discount: null;
  readonly email: string | null;
  readonly invoice_prefix: string;
  readonly invoice_settings: {
    readonly custom_fields: unknown;
    readonly default_payment_method: string | null;
    readonly footer: string | null;
    readonly rendering_options: unknown;
  };
  readonly livemode: false;
  readonly metadata: Metadata;
  readonly name: string | null;
  readonly next_invoice_sequence: number;
  readonly phone: string | null;
  readonly preferred_locales: readonly string[];
  readonly shipping: object | null;
  readonly tax_exempt: string;
  readonly test_clock: null;
}

/** The stub that a deleted customer's id answers with. */
export interface DeletedCustomer extends Stored {
  readonly object: 'customer';
  readonly deleted: true;
}
