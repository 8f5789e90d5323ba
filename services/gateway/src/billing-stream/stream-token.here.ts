import type { StreamTokenView } from '@tidegate/contracts/responses';
import { jsonReply } from '@tidegate/contracts/rpc/http-reply';
import type { Kysely } from 'kysely';
import { keyIdOf } from '../api-key/authenticator.js';
import { hashOf, newStreamToken } from '../api-key/key-format.js';
import { HERE, type Here } from '../http/here.js';
import type { GatewayTables } from '../tables.js';
import type { BillingStream } from './billing-stream.js';
import { type CreateStreamTokenBody, DEFAULT_TOKEN_SECONDS } from './create-stream-token.endpoint.js';
import { refused, switchedOff } from './refused.js';
import { insertStreamToken } from './stream-token.store.js';

/** The handler of `/v1/billing/stream-tokens`. Tokens end on the wall clock, like keys. `stream` is null while it is switched off. */
export const streamTokenHandlers = (db: Kysely<GatewayTables>, stream: Pick<BillingStream, 'lastEventId'> | null): Here => ({
  async [HERE.streamTokenCreate](request) {
    if (!stream) throw switchedOff();
    const { lastEventId } = stream;
    // Without it a page would begin at some later time, and never hear of what happened in between.
    if (lastEventId === null) throw refused('not_ready');
    const { expires_in_seconds = DEFAULT_TOKEN_SECONDS } = request.body as CreateStreamTokenBody;
    const now = new Date();
    const expiresAt = new Date(now.getTime() + expires_in_seconds * 1000);
    const token = newStreamToken();
    await insertStreamToken(db, { hash: hashOf(token), apiKey: keyIdOf(request.actor), expiresAt, now });
    const view: StreamTokenView = { object: 'stream_token', token, expires_at: expiresAt.toISOString(), last_event_id: lastEventId };
    return jsonReply(201, view);
  },
});
