import { covers, snapshotText } from '../events/event.js';
import { notification, thinTypeOf } from '../events/thin.js';
import { type Target, postSigned } from '../webhooks/target.js';
import { type EventDestination } from './event-destination.js';

/** Snapshot destinations select snapshot types, `*` included; thin ones select thin types one by one. */
export function wantedByDestination({ status, event_payload: payload, enabled_events: patterns }: EventDestination, type: string): boolean {
  if (status === 'disabled') return false;
  if (payload === 'snapshot') return patterns.some((pattern) => covers(pattern, type));
  const thinType = thinTypeOf(type);
  return thinType !== undefined && patterns.includes(thinType);
}

export function destinationTarget(destination: EventDestination): Target {
  const { id, url, status, secrets, event_payload: payload, snapshot_api_version: version } = destination;
  return {
    id,
    url,
    enabled: status === 'enabled',
    secrets,
    deliver: (record, sign, post) => {
      const body = payload === 'thin' ? JSON.stringify(notification(record)) : snapshotText(record, version);
      return postSigned(url, body, sign, post);
    },
  };
}
