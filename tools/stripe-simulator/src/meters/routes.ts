import { listPage } from '../http/list.js';
import { type Route } from '../http/route.js';
import { adjustMeterEvent } from './adjust.js';
import { meterById } from './find.js';
import { createMeter, deactivateMeter, reactivateMeter, updateMeter } from './meters.js';
import { createMeterEvent } from './record.js';
import { eventSummaries } from './summaries.js';

const PATH = '/v1/billing/meters';

export const meterRoutes: readonly Route[] = [
  { operation: `POST ${PATH}`, returns: 'billing.meter', handle: createMeter },
  {
    operation: `GET ${PATH}`,
    returns: 'list<billing.meter>',
    handle: (world, call) => listPage(call, world.meters, { noun: 'billing meter', url: PATH, filters: ['status'] }),
  },
  { operation: `GET ${PATH}/{id}`, returns: 'billing.meter', handle: (world, { id }) => meterById(world, id) },
  { operation: `POST ${PATH}/{id}`, returns: 'billing.meter', handle: updateMeter },
  { operation: `POST ${PATH}/{id}/deactivate`, returns: 'billing.meter', handle: deactivateMeter },
  { operation: `POST ${PATH}/{id}/reactivate`, returns: 'billing.meter', handle: reactivateMeter },
  { operation: `GET ${PATH}/{id}/event_summaries`, returns: 'list<billing.meter_event_summary>', handle: eventSummaries },
  { operation: 'POST /v1/billing/meter_events', returns: 'billing.meter_event', handle: createMeterEvent },
  { operation: 'POST /v1/billing/meter_event_adjustments', returns: 'billing.meter_event_adjustment', handle: adjustMeterEvent },
];
