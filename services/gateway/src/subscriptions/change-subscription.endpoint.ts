import { SubscriptionId } from '@tidegate/contracts/ids';
import { ChangeSubscriptionBody } from '@tidegate/contracts/requests';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { SubscriptionView } from '@tidegate/contracts/subscription';
import { defineEndpoint } from '../http/endpoint.js';

export const changeSubscription = defineEndpoint({
  id: 'changeSubscription',
  method: 'POST',
  path: '/v1/subscriptions/{id}',
  tag: 'Subscriptions',
  summary: 'Change what is subscribed to, how it is paid, or whether it ends with the period',
  description:
    '`items` are all that it shall have; doing it twice does it once. The difference for the running period goes on the next invoice, unless a price with another ' +
    'interval starts a new period, which is invoiced at once. Changes of one subscription follow one another.',
  scope: 'subscriptions:write',
  rpc: RPC.subscriptionChange,
  params: { id: SubscriptionId },
  body: ChangeSubscriptionBody,
  idempotencyKey: 'required',
  answers: { 200: { description: 'The subscription', schema: SubscriptionView } },
  problems: ['payments.stripe_unavailable', 'payments.rejected_by_stripe', 'payments.in_progress', 'subscriptions.given_up'],
});
