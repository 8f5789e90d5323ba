import type { InvoiceView } from '@tidegate/contracts/invoice';
import type { SubscriptionView } from '@tidegate/contracts/subscription';
import { type Compared } from './invariants.js';

/** Every way in which subscriptions, their invoices and the truth may disagree: all are known here as they stand there, and no request made two. */
export function subscriptionFaults(
  truth: Compared,
  subscriptions: readonly SubscriptionView[],
  invoices: readonly InvoiceView[],
): string[] {
  const living = new Map<string, number>();
  for (const { status, metadata } of truth.subscriptions) {
    const command = metadata['command_id'];
    if (command && status !== 'canceled' && status !== 'incomplete_expired') living.set(command, (living.get(command) ?? 0) + 1);
  }
  return [
    ...truth.subscriptions.flatMap(({ id, status }) => differs(id, status, subscriptions.find((one) => one.id === id)?.status)),
    ...truth.invoices.flatMap(({ id, status }) => differs(id, status, invoices.find((one) => one.id === id)?.status)),
    ...[...living].flatMap(([command, count]) => (count > 1 ? [`${command} made ${count} subscriptions that go on`] : [])),
  ];
}

const differs = (id: string, there: string, here: string | undefined): string[] =>
  here === there ? [] : [`${id} is ${there} at Stripe and ${here ?? 'unknown'} here`];
