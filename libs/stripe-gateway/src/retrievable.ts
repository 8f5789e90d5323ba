/** Kinds of object that are read as Stripe renders them, with their place in the API and what is worth having expanded. */
export const RETRIEVABLE = {
  payment_intent: { path: '/v1/payment_intents', expand: ['latest_charge'] },
  charge: { path: '/v1/charges', expand: [] },
  refund: { path: '/v1/refunds', expand: [] },
  dispute: { path: '/v1/disputes', expand: [] },
  'checkout.session': { path: '/v1/checkout/sessions', expand: [] },
  subscription: { path: '/v1/subscriptions', expand: [] },
  invoice: { path: '/v1/invoices', expand: ['payments.data.payment.payment_intent'] },
  payout: { path: '/v1/payouts', expand: [] },
  customer: { path: '/v1/customers', expand: [] },
} as const satisfies Record<string, { path: string; expand: readonly string[] }>;

export type RetrievableKind = keyof typeof RETRIEVABLE;

export const isRetrievable = (kind: string): kind is RetrievableKind => Object.hasOwn(RETRIEVABLE, kind);

/** `GET` of this answers one object. */
export function pathOf(kind: RetrievableKind, id: string): string {
  const { path, expand } = RETRIEVABLE[kind];
  const query = expand.map((field) => `expand[]=${field}`).join('&');
  return `${path}/${encodeURIComponent(id)}${query === '' ? '' : `?${query}`}`;
}
