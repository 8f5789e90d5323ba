/** `asked`: payments looks the payment up and carries it to what Stripe says. `refused`: it answered that it will not, with the reason. */
export type RepairAnswer = { kind: 'asked' } | { kind: 'refused'; status: number; code: string };

export interface RepairRequest {
  tenant: string;
  payment_id: string;
  /** Stated in payments' audit. */
  reason: string;
  actor: string;
}

/** Asks payments to look up one payment at Stripe. Throws RpcUnavailable, RpcTimeout or RpcFailed when it gives no answer; asking again does no harm. */
export interface RepairPort {
  lookUp(request: RepairRequest): Promise<RepairAnswer>;
}
