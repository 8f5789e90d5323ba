import { type Terms } from './payment.events.js';

/** What a caller may ask of a payment. Ids and terms come in decided; `command_id` is stable over retries of the same request. */
export type PaymentCommand =
  | { type: 'CreatePayment'; command_id: string; terms: Terms; queued: boolean }
  | { type: 'ConfirmPayment'; command_id: string; payment_method: string; not_after: string }
  | { type: 'CapturePayment'; command_id: string; amount: number | null }
  | { type: 'CancelPayment'; command_id: string; reason: string | null }
  | { type: 'RefundPayment'; command_id: string; refund_id: string; amount: number | null; reason: string | null };

export type PaymentCommandType = PaymentCommand['type'];
