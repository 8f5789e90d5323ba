import { noSuch, refused } from '../http/errors.js';
import { listPage } from '../http/list.js';
import { type Route } from '../http/route.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { type World } from '../world.js';
import { applyOutcome } from './apply.js';
import { createRefund } from './create.js';
import { type Refund } from './refund.js';

const PATH = '/v1/refunds';

export const refundRoutes: readonly Route[] = [
  {
    operation: `POST ${PATH}`,
    returns: 'refund',
    unsupported: ['currency', 'customer', 'instructions_email', 'origin', 'refund_application_fee', 'reverse_transfer'],
    handle: createRefund,
  },
  {
    operation: `GET ${PATH}`,
    returns: 'list<refund>',
    handle: (world, call) => listPage(call, world.refunds, { noun: 'refund', url: PATH, filters: ['payment_intent', 'charge'] }),
  },
  { operation: `GET ${PATH}/{id}`, returns: 'refund', handle: (world, { id }) => refundById(world, id) },
  {
    operation: `POST ${PATH}/{id}`,
    returns: 'refund',
    handle: (world, { id, params, cause }) => {
      const before = refundById(world, id);
      const metadata = mergeMetadata(before.metadata, params['metadata'] as Metadata | null | undefined);
      return applyOutcome(world, 'changed', { ...before, metadata }, cause);
    },
  },
  {
    operation: `POST ${PATH}/{id}/cancel`,
    returns: 'refund',
    handle: (world, { id }) => {
      const refund = refundById(world, id);
      throw refused(
        `You cannot cancel this refund because it has a status of ${refund.status}. Only a refund with a status of requires_action may be canceled.`,
        undefined,
      );
    },
  },
];

function refundById(world: World, id: string): Refund {
  const refund = world.refunds.get(id);
  if (refund === undefined) throw noSuch('refund', id, 'id');
  return refund;
}
