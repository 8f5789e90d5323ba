import { SubscriptionId } from '@tidegate/contracts/ids';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { SubscriptionView } from '@tidegate/contracts/subscription';
import { defineEndpoint } from '../http/endpoint.js';

export const getSubscription = defineEndpoint({
  id: 'getSubscription',
  method: 'GET',
  path: '/v1/subscriptions/{id}',
  tag: 'Subscriptions',
  summary: 'See a subscription: its state, period and dunning',
  description:
    'As Stripe showed it last. Reading an incomplete one asks Stripe how it stands, at most once in 5 seconds: a payer who comes back may be faster than the news.',
  scope: 'subscriptions:read',
  rpc: RPC.subscriptionGet,
  params: { id: SubscriptionId },
  idempotencyKey: 'none',
  answers: { 200: { description: 'The subscription', schema: SubscriptionView } },
  problems: [],
});
