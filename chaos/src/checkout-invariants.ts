import type { CheckoutView, PaymentView } from '@tidegate/contracts/responses';
import { type Compared } from './invariants.js';

type Session = Compared['checkout_sessions'][number];

/** Every way in which checkouts and the truth may disagree: each is paid once at most, stands as its page does, and its payment is known. */
export function checkoutFaults(truth: Compared, checkouts: readonly CheckoutView[], payments: readonly PaymentView[]): string[] {
  const known = new Set(checkouts.map(({ id }) => id));
  const pages = new Map<string, Session[]>();
  for (const page of truth.checkout_sessions) {
    const id = page.metadata['checkout_id'] ?? '';
    pages.set(id, [...(pages.get(id) ?? []), page]);
  }
  const succeeded = new Set(truth.payment_intents.filter(({ status }) => status === 'succeeded').map(({ id }) => id));
  const byId = new Map(payments.map((payment) => [payment.id, payment]));
  return [
    ...checkouts.flatMap((checkout) => {
      const own = pages.get(checkout.id) ?? [];
      return [...paidOnce(checkout, own, succeeded), ...standsAsItsPage(checkout, own), ...paymentIsKnown(checkout, own, byId)];
    }),
    // A page without the id of a checkout was made by another program.
    ...truth.checkout_sessions
      .filter(({ metadata: { checkout_id }, status }) => status === 'complete' && checkout_id !== undefined && !known.has(checkout_id))
      .map(({ id }) => `${id} is complete at Stripe and no checkout of ours knows it`),
  ];
}

function paidOnce({ id }: CheckoutView, pages: readonly Session[], succeeded: ReadonlySet<string>): string[] {
  const paid = pages.filter(({ payment_intent }) => payment_intent !== null && succeeded.has(payment_intent));
  return paid.length > 1 ? [`${id} was paid ${paid.length} times`] : [];
}

function standsAsItsPage({ id, status, stripe_checkout_session, payment_status }: CheckoutView, pages: readonly Session[]): string[] {
  const complete = pages.filter((page) => page.status === 'complete');
  const wrong = complete
    .filter((page) => page.id !== stripe_checkout_session)
    .map((page) => `${page.id} of ${id} is complete at Stripe and not the page that we know`);
  if (stripe_checkout_session === null) return status === 'expired' ? wrong : [...wrong, `${id} is ${status} and has no page`];
  const page = pages.find((one) => one.id === stripe_checkout_session);
  if (!page) return [...wrong, `${id} names ${stripe_checkout_session}, which Stripe does not have`];
  if (page.status !== status) wrong.push(`${id} is ${status}, its page is ${page.status}`);
  if (page.payment_status === 'paid' && payment_status !== 'paid') wrong.push(`${id} is ${payment_status}, its page is paid`);
  return wrong;
}

function paymentIsKnown(checkout: CheckoutView, pages: readonly Session[], payments: ReadonlyMap<string, PaymentView>): string[] {
  const page = pages.find((one) => one.id === checkout.stripe_checkout_session);
  if (checkout.status !== 'complete' || !page?.payment_intent) return [];
  const payment = payments.get(checkout.payment ?? '');
  if (payment?.stripe_payment_intent === page.payment_intent && payment.origin === 'checkout') return [];
  return [`${checkout.id} was paid by ${page.payment_intent}, and its payment ${checkout.payment ?? 'is missing'} does not say so`];
}
