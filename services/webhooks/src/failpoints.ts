import { callFailpoints, commitFailpoints } from '@tidegate/database/failpoints';

/** Where a drill may kill, delay or fail this service, besides the places that messaging adds. */
export const FAILPOINTS: readonly string[] = [
  ...commitFailpoints(
    'webhooks.ingest.insert',
    'webhooks.normalize.stage',
    'webhooks.sweep.insert',
    'webhooks.sweep.advance',
    'webhooks.hint.stage',
    'webhooks.parked.release',
    'webhooks.replay.take',
  ),
  ...callFailpoints('webhooks.sweep.list', 'webhooks.hint.retrieve'),
];
