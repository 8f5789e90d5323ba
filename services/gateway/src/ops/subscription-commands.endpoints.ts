import { ReasonBody } from '@tidegate/contracts/ops/reason';
import {
  SUBSCRIPTION_COMMAND_KINDS,
  SubscriptionCommandGivenUp,
  SubscriptionCommandResolution,
  SubscriptionCommandView,
} from '@tidegate/contracts/ops/subscription-commands';
import { listOf } from '@tidegate/contracts/responses';
import { TenantId } from '@tidegate/contracts/ops/tenants';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { z } from 'zod';
import { defineEndpoint } from '../http/endpoint.js';
import { paging, seconds } from '../http/list-query.js';

const id = z.string().regex(/^sbc_[0-9a-f]{8,64}$/);

export const listSubscriptionCommands = defineEndpoint({
  id: 'listSubscriptionCommands',
  method: 'GET',
  path: '/v1/ops/subscription-commands',
  tag: 'Operations',
  summary: 'List requests about subscriptions that have no certain outcome yet, oldest first',
  scope: 'ops',
  rpc: RPC.operatorSubscriptionCommandList,
  params: {},
  query: z.strictObject({
    kind: z.enum(SUBSCRIPTION_COMMAND_KINDS).optional(),
    tenant: TenantId.optional(),
    older_than: seconds.optional().describe('Only those that were accepted so many seconds ago'),
    ...paging,
  }),
  idempotencyKey: 'none',
  answers: { 200: { description: 'A page of open requests of all tenants', schema: listOf(SubscriptionCommandView) } },
  problems: [],
});

export const resolveSubscriptionCommand = defineEndpoint({
  id: 'resolveSubscriptionCommand',
  method: 'POST',
  path: '/v1/ops/subscription-commands/{id}/resolve',
  tag: 'Operations',
  summary: 'Carry a request about a subscription on now',
  description: 'The same as the schedule does by itself, only now.',
  scope: 'ops',
  rpc: RPC.operatorSubscriptionCommandResolve,
  params: { id },
  body: ReasonBody,
  idempotencyKey: 'none',
  answers: { 202: { description: 'It is carried on', schema: SubscriptionCommandResolution } },
  problems: ['operations.illegal_state'],
});

export const giveUpSubscriptionCommand = defineEndpoint({
  id: 'giveUpSubscriptionCommand',
  method: 'POST',
  path: '/v1/ops/subscription-commands/{id}/give-up',
  tag: 'Operations',
  summary: 'End a request about a subscription that nobody can carry out',
  description:
    'Its key answers 422 `subscriptions.given_up` from then on; what is at Stripe stays as it is there. Refused while a call for it may have reached Stripe, or ' +
    'some process is at it.',
  scope: 'ops',
  rpc: RPC.operatorSubscriptionCommandGiveUp,
  params: { id },
  body: ReasonBody,
  idempotencyKey: 'none',
  answers: { 200: { description: 'It has ended', schema: SubscriptionCommandGivenUp } },
  problems: ['operations.illegal_state'],
});
