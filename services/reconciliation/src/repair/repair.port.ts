/**
 * `asked`: payments looks the payment up and carries it to what Stripe says, or adopts the intent. `refused`: it answered that it will not, with the
 * reason.
 */
export type RepairAnswer = { kind: 'asked' } | { kind: 'refused'; status: number; code: string };

export interface RepairRequest {
  tenant: string;
  /** One of the two at least; an intent without a payment is adopted. */
  payment_id: string | null;
  stripe_payment_intent: string | null;
  /** Stated in payments' audit. */
  reason: string;
  actor: string;
}

/** Asks payments to believe Stripe about one payment. Throws RpcUnavailable, RpcTimeout or RpcFailed when it gives no answer; asking again does no harm. */
export interface RepairPort {
  lookUp(request: RepairRequest): Promise<RepairAnswer>;
}
