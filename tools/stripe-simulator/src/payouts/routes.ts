import { listPage } from '../http/list.js';
import { refused } from '../http/errors.js';
import { type Route } from '../http/route.js';
import { type Metadata, mergeMetadata } from '../schema/metadata-param.js';
import { applyOutcome } from './apply.js';
import { createPayout } from './create.js';
import { mustAllow, payoutById } from './find.js';
import { cancel } from './later.js';
import { type Payout } from './payout.js';

const PATH = '/v1/payouts';

export const payoutRoutes: readonly Route[] = [
  { operation: `POST ${PATH}`, returns: 'payout', unsupported: ['payout_method'], handle: createPayout },
  {
    operation: `GET ${PATH}`,
    returns: 'list<payout>',
    handle: (world, call) =>
      listPage(call, world.payouts, {
        noun: 'payout',
        url: PATH,
        filters: ['status', 'destination'],
        matches: arrivesWithin(call.params['arrival_date']),
      }),
  },
  { operation: `GET ${PATH}/{id}`, returns: 'payout', handle: (world, { id }) => payoutById(world, id) },
  {
    operation: `POST ${PATH}/{id}`,
    returns: 'payout',
    handle: (world, { id, params, cause }) => {
      const before = payoutById(world, id);
      const metadata = mergeMetadata(before.metadata, params['metadata'] as Metadata | null | undefined);
      return applyOutcome(world, 'changed', { ...before, metadata }, cause);
    },
  },
  {
    operation: `POST ${PATH}/{id}/cancel`,
    returns: 'payout',
    handle: (world, { id, cause }) => {
      const payout = payoutById(world, id);
      if (payout.automatic) throw refused("You can't cancel automatic Stripe payouts.", undefined);
      mustAllow('cancel', payout);
      return cancel(world, payout, cause);
    },
  },
];

function arrivesWithin(asked: unknown): (payout: Payout) => boolean {
  if (typeof asked === 'number') return ({ arrival_date: date }) => date === asked;
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = (asked ?? {}) as Partial<Record<string, number>>;
  return ({ arrival_date: date }) => date > gt && date >= gte && date < lt && date <= lte;
}
