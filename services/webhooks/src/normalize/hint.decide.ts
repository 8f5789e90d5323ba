import { isRetrievable } from '@tidegate/stripe-gateway/retrievable';
import { isEnd } from './normalized-event.decide.js';

/** What is known of an event when it is stored. */
export interface Arrived {
  source: 'webhook' | 'thin' | 'sweep';
  event_type: string;
  object_kind: string | null;
  object_id: string | null;
  api_version: string | null;
  account: string | null;
  livemode: boolean;
}

/** The account that we can ask, and the API version that everything here is written for. */
export interface Ours {
  livemode: boolean;
  apiVersion: string;
}

/** Objects that come and go in their states, so that no order of snapshots tells how they are now. */
const CYCLIC = ['subscription', 'invoice', 'customer'];

/**
 * Whether the object of an event is retrieved before the event is published, because its payload does not tell (thin), may be rendered in another version
 * than ours (listed, or from an endpoint of another version), or is a snapshot of something cyclic. Another account's or mode's objects are not ours to ask
 * for; what is deleted is not there any more.
 */
export function isHint(event: Arrived, ours: Ours): boolean {
  if (event.account !== null || event.livemode !== ours.livemode) return false;
  if (event.object_id === null || event.object_kind === null || !isRetrievable(event.object_kind) || isEnd(event.event_type)) return false;
  return event.source !== 'webhook' || event.api_version !== ours.apiVersion || CYCLIC.includes(event.object_kind);
}
