import { callFailpoints, commitFailpoints } from '@tidegate/database/failpoints';

/** Hit by every request of that kind when all goes well: each has its transactions and its calls to Stripe. */
export const requestFailpoints: Readonly<Record<'create' | 'confirm' | 'capture' | 'cancel' | 'refund', readonly string[]>> = {
  create: [
    ...commitFailpoints('payments.create.accept'),
    ...callFailpoints('payments.create.intent'),
    ...commitFailpoints('payments.create.intent_recorded'),
    ...callFailpoints('payments.create.confirm'),
    ...commitFailpoints('payments.create.confirm_recorded'),
  ],
  confirm: oneCall('confirm'),
  capture: oneCall('capture'),
  cancel: oneCall('cancel'),
  refund: oneCall('refund'),
};

/** Hit only when an answer is missing, a request is refused, or Stripe knows something that we do not. */
export const recoveryFailpoints: readonly string[] = [
  ...commitFailpoints(
    'payments.request.refused',
    'payments.retry.submitted',
    'payments.retry.dead_lettered',
    'payments.lookup.recorded',
    'payments.orphan.recorded',
    'payments.refresh.recorded',
  ),
  ...callFailpoints(
    'payments.lookup.intent',
    'payments.lookup.intents',
    'payments.lookup.refunds',
    'payments.lookup.disputes',
    'payments.orphan.cancel',
    'payments.customer.check',
  ),
];

/** Hit by a checkout when all goes well: opened, closed by request or by the sweep. */
export const checkoutFailpoints: readonly string[] = [
  ...commitFailpoints('payments.checkout.accept'),
  ...callFailpoints('payments.checkout.session'),
  ...commitFailpoints('payments.checkout.session_recorded'),
  ...commitFailpoints('payments.checkout.submitted'),
  ...callFailpoints('payments.checkout.expire'),
  ...commitFailpoints('payments.checkout.expire_recorded'),
];

/** Hit by a customer when all goes well: made, and erased. */
export const customerFailpoints: readonly string[] = [
  ...commitFailpoints('payments.customer.accept'),
  ...callFailpoints('payments.customer.create'),
  ...commitFailpoints('payments.customer.create_recorded', 'payments.customer.erase'),
  ...callFailpoints('payments.customer.delete'),
  ...commitFailpoints('payments.customer.delete_recorded'),
];

/** Hit only when an answer is missing, or when somebody asks how a checkout stands. */
const objectRecoveryFailpoints: readonly string[] = [
  ...commitFailpoints(
    'payments.checkout.refused',
    'payments.checkout.looked_up',
    'payments.checkout.payment_adopted',
    'payments.checkout.late_refunded',
    'payments.checkout.late_refund_failed',
    'payments.customer.submitted',
    'payments.parked.settle',
  ),
  ...callFailpoints('payments.checkout.lookup', 'payments.checkout.lookup_list', 'payments.customer.lookup_list'),
];

/** Hit by usage when all goes well: taken in, parked and released, reported. */
export const usageFailpoints: readonly string[] = [
  ...commitFailpoints('payments.usage.record', 'payments.usage.released', 'payments.usage.submitted'),
  ...callFailpoints('payments.usage.customer', 'payments.usage.meters', 'payments.usage.report'),
  ...commitFailpoints('payments.usage.reported'),
];

/** Hit only when the summary of an hour is asked for, because an answer was missing for a day, or to compare and repair. */
const usageRecoveryFailpoints: readonly string[] = [
  ...callFailpoints('payments.usage.summary'),
  ...commitFailpoints('payments.usage.repaired'),
];

/** Hit by requests about subscriptions when all goes well: created and paid, changed, canceled. */
export const subscriptionFailpoints: Readonly<Record<'create' | 'change' | 'cancel', readonly string[]>> = {
  create: [
    ...commitFailpoints('payments.subscription.accept'),
    ...callFailpoints('payments.subscription.create'),
    ...commitFailpoints('payments.subscription.create_recorded'),
    ...callFailpoints('payments.subscription.pay'),
    ...commitFailpoints('payments.subscription.pay_recorded', 'payments.subscription.settled'),
  ],
  change: [
    ...commitFailpoints('payments.subscription.submitted'),
    ...callFailpoints('payments.subscription.change'),
    ...commitFailpoints('payments.subscription.change_recorded'),
  ],
  cancel: [...callFailpoints('payments.subscription.cancel'), ...commitFailpoints('payments.subscription.cancel_recorded')],
};

/** Hit only when an answer is missing, or the first invoice could not be paid. */
const subscriptionRecoveryFailpoints: readonly string[] = callFailpoints(
  'payments.subscription.lookup_list',
  'payments.subscription.secret',
);

/** Hit when Stripe is asked how a subscription or an invoice stands: after a request of ours, and when news do not say it for sure. */
export const billingFailpoints: readonly string[] = [
  ...callFailpoints('payments.billing.lookup'),
  ...commitFailpoints('payments.billing.observed'),
];

/** The names that TIDEGATE_FAILPOINT may give to this service, besides those of messaging. */
export const FAILPOINTS: readonly string[] = [
  ...Object.values(requestFailpoints).flat(),
  ...recoveryFailpoints,
  ...checkoutFailpoints,
  ...customerFailpoints,
  ...objectRecoveryFailpoints,
  ...usageFailpoints,
  ...usageRecoveryFailpoints,
  ...billingFailpoints,
  ...Object.values(subscriptionFailpoints).flat(),
  ...subscriptionRecoveryFailpoints,
];

function oneCall(operation: string): string[] {
  const name = `payments.${operation}`;
  return [
    ...commitFailpoints(`${name}.accept`),
    ...callFailpoints(`${name}.${operation}`),
    ...commitFailpoints(`${name}.${operation}_recorded`),
  ];
}
