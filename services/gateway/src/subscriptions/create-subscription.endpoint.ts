import { CreateSubscriptionBody } from '@tidegate/contracts/requests';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { SubscriptionView } from '@tidegate/contracts/subscription';
import { defineEndpoint } from '../http/endpoint.js';

export const createSubscription = defineEndpoint({
  id: 'createSubscription',
  method: 'POST',
  path: '/v1/subscriptions',
  tag: 'Subscriptions',
  summary: 'Subscribe a customer',
  description:
    'The first invoice is made and then paid with the payment method, once. When that fails, or the customer has to authenticate, the answer is 201 with status ' +
    '`incomplete`, what it waits for in `dunning`, and a `client_secret` to pay with in the browser within 23 hours. A trial without a payment method has a ' +
    '`client_secret`, too, that of a SetupIntent (`seti_…`), to give one. When Stripe stays silent the answer is 503: the request goes on by itself, and the same ' +
    'key gets the subscription, or 422 `subscriptions.expired` when nothing could be sent until `not_after`.',
  scope: 'subscriptions:write',
  rpc: RPC.subscriptionCreate,
  params: {},
  body: CreateSubscriptionBody,
  idempotencyKey: 'required',
  answers: { 201: { description: 'The subscription', schema: SubscriptionView } },
  problems: ['payments.stripe_unavailable', 'payments.rejected_by_stripe', 'subscriptions.expired', 'subscriptions.given_up', 'not_found'],
});
