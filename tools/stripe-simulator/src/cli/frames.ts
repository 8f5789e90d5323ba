import { type AnyEventRecord, snapshotText } from '../events/event.js';
import { notification } from '../events/thin.js';
import { API_VERSION } from '../schema/schema.js';
import { type Sign } from '../webhooks/target.js';

/**
 * The messages that a listening CLI understands, as read from its source (github.com/stripe/stripe-cli, pkg/websocket) and checked
 * against its binary. Of a snapshot event it gets one in the account's version and one in the latest, and drops one of the two.
 */
export function snapshotFrames(record: AnyEventRecord, sign: Sign, key: string): object[] {
  return [null, API_VERSION].map((version) => {
    const body = snapshotText(record, version);
    return {
      type: 'webhook_event',
      endpoint: { api_version: version },
      event_payload: body,
      http_headers: headers(body, sign),
      webhook_conversation_id: key,
      webhook_id: `${key}.${version ?? 'default'}`,
    };
  });
}

export function thinFrames(record: AnyEventRecord, sign: Sign, key: string): object[] {
  const body = JSON.stringify(notification(record));
  return [{ type: 'v2_event', payload: body, http_headers: headers(body, sign), destination_id: key }];
}

function headers(body: string, sign: Sign): Record<string, string> {
  return {
    'Content-Type': 'application/json; charset=utf-8',
    'User-Agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
    'Stripe-Signature': sign(body),
  };
}
