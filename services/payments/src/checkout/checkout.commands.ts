import { type CheckoutTerms } from './checkout.events.js';

/** What a caller may ask of a checkout. Ids and times come in decided; `command_id` is stable over retries of the same request. */
export type CheckoutCommand =
  | { type: 'OpenCheckout'; command_id: string; terms: CheckoutTerms; window_ends_at: string }
  | { type: 'ExpireCheckout'; command_id: string }
  | { type: 'ExtendWindow'; command_id: string; until: string }
  | { type: 'ResolveLateSuccess'; command_id: string; action: 'accept' | 'refund' };
