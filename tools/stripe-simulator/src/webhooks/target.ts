import { type AnyEventRecord } from '../events/event.js';
import { type PostResult } from './post.js';

/** Makes the `Stripe-Signature` header over a body. */
export type Sign = (body: string) => string;

/** Posts a signed body; never rejects. */
export type Post = (url: string, body: string, headers: Record<string, string>) => Promise<PostResult>;

/** Somewhere that events go: a webhook endpoint, an event destination, or a listening CLI. */
export interface Target {
  readonly id: string;
  readonly url: string;
  readonly enabled: boolean;
  readonly secrets: readonly string[];
  /** Told once, outside of the queue and without retries. */
  readonly once?: true;
  /** Renders the event for this target, signs and sends it; never rejects. */
  deliver(record: AnyEventRecord, sign: Sign, post: Post): Promise<PostResult>;
}

/** One attempt over HTTP, as every target with a URL gets it. */
export function postSigned(url: string, body: string, sign: Sign, post: Post): Promise<PostResult> {
  return post(url, body, {
    'Content-Type': 'application/json; charset=utf-8',
    'User-Agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
    'Stripe-Signature': sign(body),
    Accept: '*/*; q=0.5, application/xml',
    'Cache-Control': 'no-cache',
  });
}
