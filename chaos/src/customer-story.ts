import type { CustomerView, PaymentView } from '@tidegate/contracts/responses';
import { step, type Telling } from './step.js';

const ENDS = ['kept', 'paid', 'erased'] as const;
export type CustomerEnd = (typeof ENDS)[number];

/** A customer who is made, pays, and may be erased again. */
export async function tellCustomer(telling: Telling, end: CustomerEnd = telling.random.pick(ENDS)): Promise<void> {
  const { random, log } = telling;
  const person = { email: `payer-${random.below(1_000_000)}@example.com`, name: 'Ada Payer', locale: 'de' };
  const made = await step(telling, { method: 'POST', path: '/v1/customers', body: person });
  if (made?.status !== 201) return;
  const customer = JSON.parse(made.body) as CustomerView;
  if (end === 'kept') return;
  const body = { amount: 1_000 + random.below(9_000), currency: 'eur', payment_method: 'pm_card_visa', customer: customer.id };
  const paid = await step(telling, { method: 'POST', path: '/v1/payments', body });
  if (paid?.status === 201) log.created.push((JSON.parse(paid.body) as PaymentView).id);
  if (end === 'paid') return;
  // The answer tells of a person: it is forgotten, too, and not given again.
  log.answered = log.answered.filter(({ call, answer }) => call.path !== '/v1/customers' || answer.body !== made.body);
  await telling.stage.client.send({ method: 'POST', path: `/v1/customers/${customer.id}/erase`, body: { reason: 'chaos: they asked' } });
}
