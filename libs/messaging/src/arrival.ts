import { type Msg } from '@nats-io/transport-node';
import { type OutboxReadReply } from '@tidegate/contracts/rpc/outbox-read';
import { type Envelope } from '@tidegate/contracts/envelope';
import { type Arrival } from './inbox-store.js';
import { AGGREGATE_HEADER, parsePlace, POSITION_HEADER } from './position-header.js';
import { headerOf } from './raw-headers.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const MESSAGE_ID_HEADER = 'Nats-Msg-Id';

/** A message as it came from the stream; null when no relay of ours can have published it. */
export function fromStream(message: Pick<Msg, 'subject' | 'data'> & { headers?: Msg['headers'] | undefined }): Arrival | null {
  // The client makes a new view of the bytes each time it is asked for them.
  const { data } = message;
  const header = headerOf(message, data);
  const place = parsePlace(header(POSITION_HEADER));
  const messageId = header(MESSAGE_ID_HEADER);
  // Not copied: what the client has read from its socket is nobody else's.
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const aggregate = header(AGGREGATE_HEADER) || aggregateIn(bytes);
  if (!place || !aggregate || !UUID.test(messageId)) return null;
  return { epoch: place.epoch, position: place.position, messageId, subject: message.subject, aggregate, bytes };
}

/** A page of the owner's outbox; its rows have their places in the owner's present epoch. */
export function fromOutbox(page: Pick<OutboxReadReply, 'epoch' | 'rows'>): Arrival[] {
  return page.rows.map((row) => ({
    epoch: page.epoch,
    position: row.position,
    messageId: row.message_id,
    subject: row.subject,
    aggregate: row.aggregate,
    bytes: Buffer.from(row.body, 'utf8'),
  }));
}

function aggregateIn(bytes: Buffer): string | null {
  try {
    return (JSON.parse(bytes.toString('utf8')) as Envelope).aggregate.id;
  } catch {
    return null;
  }
}
