/** What the simulator knows to be true; Stripe objects as its API shows them, reduced to what the checks read. */
export interface Truth {
  payment_intents: {
    id: string;
    status: string;
    amount: number;
    amount_received: number;
    currency: string;
    metadata: Record<string, string>;
    latest_charge: string | null;
  }[];
  charges: { id: string; status: string; payment_intent: string | null; amount_captured: number }[];
  refunds: {
    id: string;
    status: string;
    amount: number;
    payment_intent: string | null;
    balance_transaction: string | null;
    metadata: Record<string, string>;
  }[];
  disputes: { id: string; status: string; payment_intent: string | null; balance_transactions: { amount: number }[] }[];
  checkout_sessions: {
    id: string;
    status: string;
    payment_status: string;
    payment_intent: string | null;
    metadata: Record<string, string>;
  }[];
  customers: { id: string; metadata: Record<string, string> }[];
  subscriptions: { id: string; status: string; metadata: Record<string, string> }[];
  invoices: { id: string; status: string }[];
  events: { id: string; type: string }[];
  requests: { method: string; path: string; idempotency_key: string | null; status: number | null; at: string; since?: string }[];
}

/** Without `only`, all of it, which grows with every request. */
export async function truthOf<Part extends keyof Truth = keyof Truth>(
  simulatorUrl: string,
  only?: readonly Part[],
): Promise<Pick<Truth, Part>> {
  const answer = await fetch(`${simulatorUrl}/__truth${only ? `?only=${only.join(',')}` : ''}`);
  if (!answer.ok) throw new Error(`GET /__truth answered ${answer.status}`);
  return (await answer.json()) as Pick<Truth, Part>;
}

/** A refund that moves no money: it let an authorization go. */
export const isReleaseOnly = ({ status, balance_transaction }: { status?: string | null; balance_transaction?: string | null }): boolean =>
  status === 'succeeded' && balance_transaction === null;

/** Local status that each status of a PaymentIntent means. */
export const LOCAL_STATUS_OF: Record<string, string> = {
  requires_payment_method: 'requires_payment_method',
  requires_confirmation: 'requires_payment_method',
  requires_action: 'requires_action',
  processing: 'processing',
  requires_capture: 'authorized',
  succeeded: 'succeeded',
  canceled: 'canceled',
};
