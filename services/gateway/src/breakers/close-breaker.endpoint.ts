import { BreakerName } from '@tidegate/contracts/ids';
import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { BreakerView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { defineEndpoint } from '../http/endpoint.js';

export const closeBreaker = defineEndpoint({
  id: 'closeBreaker',
  method: 'POST',
  path: '/v1/ops/breakers/{name}/close',
  tag: 'Operations',
  summary: 'Close a breaker',
  description: 'Ends open, half open and isolated. A key that Stripe refuses stays refused: change it, or reset.',
  scope: 'ops',
  rpc: RPC.breakerClose,
  params: { name: BreakerName },
  body: ReasonBody,
  idempotencyKey: 'none',
  answers: { 200: { description: 'The breaker as it is now', schema: BreakerView } },
  problems: ['operations.illegal_state'],
});
