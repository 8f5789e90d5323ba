import { SubscriptionId } from '@tidegate/contracts/ids';
import { CancelSubscriptionBody } from '@tidegate/contracts/requests';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { SubscriptionView } from '@tidegate/contracts/subscription';
import { defineEndpoint } from '../http/endpoint.js';

export const cancelSubscription = defineEndpoint({
  id: 'cancelSubscription',
  method: 'POST',
  path: '/v1/subscriptions/{id}/cancel',
  tag: 'Subscriptions',
  summary: 'Cancel a subscription, now or when its period ends',
  description: 'Nothing is given back for what is left of the period. One that is over already is answered as it is.',
  scope: 'subscriptions:write',
  rpc: RPC.subscriptionCancel,
  params: { id: SubscriptionId },
  body: CancelSubscriptionBody,
  idempotencyKey: 'required',
  answers: { 200: { description: 'The subscription', schema: SubscriptionView } },
  problems: ['payments.stripe_unavailable', 'payments.rejected_by_stripe', 'payments.in_progress', 'subscriptions.given_up'],
});
