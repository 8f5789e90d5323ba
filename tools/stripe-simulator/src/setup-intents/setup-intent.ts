import { type Metadata } from '../schema/metadata-param.js';
import { type Stored } from '../store/collection.js';

export type SetupStatus = 'requires_payment_method' | 'requires_confirmation' | 'requires_action' | 'succeeded' | 'canceled';

export interface SetupIntent extends Stored {
  readonly object: 'setup_intent';
  readonly allowed_payment_method_types: readonly string[] | null;
  readonly application: null;
  readonly attach_to_self?: boolean;
  readonly automatic_payment_methods: { readonly enabled: boolean; readonly allow_redirects?: string } | null;
  readonly cancellation_reason: string | null;
  readonly client_secret: string;
  readonly created: number;
  readonly customer: string | null;
  readonly customer_account: null;
  readonly description: string | null;
  readonly excluded_payment_method_types: readonly string[] | null;
  readonly flow_directions: null;
  readonly last_setup_error: object | null;
  readonly latest_attempt: string | null;
  readonly livemode: false;
  readonly managed_payments: null;
  readonly mandate: string | null;
  readonly metadata: Metadata;
  readonly next_action: object | null;
  readonly on_behalf_of: null;
  readonly payment_method: string | null;
  readonly payment_method_configuration_details: null;
  readonly payment_method_options: object;
  readonly payment_method_types: readonly string[];
  readonly single_use_mandate: null;
  readonly status: SetupStatus;
  readonly usage: string;
}

/** One try to set a payment method up. */
export interface SetupAttempt extends Stored {
  readonly object: 'setup_attempt';
  readonly application: null;
  readonly created: number;
  readonly customer: string | null;
  readonly customer_account: null;
  readonly flow_directions: null;
  readonly livemode: false;
  readonly on_behalf_of: null;
  readonly payment_method: string;
  readonly payment_method_details: object;
  readonly setup_error: object | null;
  readonly setup_intent: string;
  readonly status: 'succeeded' | 'failed' | 'requires_action' | 'abandoned';
  readonly usage: string;
}
