import { listPage } from '../http/list.js';
import { type Route } from '../http/route.js';
import { decide } from './decide.js';
import { isInquiry } from './dispute.js';
import { disputeById, mustAllow } from './find.js';
import { updateDispute } from './update.js';
import { disputeView } from './view.js';

const PATH = '/v1/disputes';

export const disputeRoutes: readonly Route[] = [
  {
    operation: `GET ${PATH}`,
    returns: 'list<dispute>',
    handle: (world, call) => {
      const page = listPage(call, world.disputes, { noun: 'dispute', url: PATH, filters: ['charge', 'payment_intent'] });
      return { ...page, data: page.data.map((dispute) => disputeView(world, dispute)) };
    },
  },
  { operation: `GET ${PATH}/{id}`, returns: 'dispute', handle: (world, { id }) => disputeView(world, disputeById(world, id)) },
  {
    operation: `POST ${PATH}/{id}`,
    returns: 'dispute',
    handle: (world, call) => disputeView(world, updateDispute(world, call)),
  },
  {
    operation: `POST ${PATH}/{id}/close`,
    returns: 'dispute',
    handle: (world, { id, cause }) => {
      const dispute = disputeById(world, id);
      mustAllow('close', dispute);
      return disputeView(world, decide(world, dispute, isInquiry(dispute) ? 'closed' : 'lost', cause));
    },
  },
];
