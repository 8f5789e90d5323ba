import { HoldView, PlaceHoldBody } from '@tidegate/contracts/ops/hold';
import { ReasonBody } from '@tidegate/contracts/ops/reason';
import { defineEndpoint } from '../http/endpoint.js';
import { HERE } from '../http/here.js';

const common = { tag: 'Operations', scope: 'ops', params: {}, idempotencyKey: 'none', problems: [] } as const;
const answers = { 200: { description: 'The hold', schema: HoldView } };

export const getHold = defineEndpoint({
  ...common,
  id: 'getHold',
  method: 'GET',
  path: '/v1/ops/hold',
  summary: 'See whether requests that move money are held',
  rpc: HERE.holdGet,
  answers,
});

export const placeHold = defineEndpoint({
  ...common,
  id: 'placeHold',
  method: 'POST',
  path: '/v1/ops/hold',
  summary: 'Hold requests that move money, after a restore',
  description:
    'Every gateway answers them 503 `service.on_hold` within a second, and does nothing. Reading, webhooks and operating go on. While they are held already, the earlier `restore_point` stays.',
  rpc: HERE.holdPlace,
  body: PlaceHoldBody,
  answers,
});

export const releaseHold = defineEndpoint({
  ...common,
  id: 'releaseHold',
  method: 'POST',
  path: '/v1/ops/hold/release',
  summary: 'Take requests again',
  description: '`tidegate restore finish` does so once the record equals Stripe’s.',
  rpc: HERE.holdRelease,
  body: ReasonBody,
  answers,
});
