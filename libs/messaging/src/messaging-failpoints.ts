import { callFailpoints, commitFailpoints } from '@tidegate/database/failpoints';
import { durablesOf, streamOf } from './topology.js';

/** Every failpoint that messaging hits in a service, from its topology. */
export function messagingFailpoints(service: string): string[] {
  const relay = streamOf(service) ? [...commitFailpoints(`${service}.relay.stamp`), ...callFailpoints(`${service}.relay.publish`)] : [];
  const replays = ['page', 'swap'].map((step) => `${service}.event_replay.${step}`);
  return [
    ...relay,
    ...(durablesOf(service).length > 0 ? commitFailpoints(...replays) : []),
    ...durablesOf(service).flatMap(({ durable }) => consumerFailpoints(service, durable)),
  ];
}

function consumerFailpoints(service: string, durable: string): string[] {
  const name = `${service}.${durable}`;
  return [...commitFailpoints(`${name}.store`, `${name}.handle`), ...callFailpoints(`${name}.ack`)];
}
