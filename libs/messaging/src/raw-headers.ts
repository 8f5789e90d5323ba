import { type Msg } from '@nats-io/transport-node';

/**
 * What `headers.get` answers of a message, read from the bytes in front of its `data`, where the protocol puts its headers: the client makes a map of lists of all of them, and looks at all for each
 * that it adds, which was a sixth of what reading a stream allocates. What does not stand there like that, the client is asked for.
 * The format: https://docs.nats.io/reference/reference-protocols/nats-protocol#hpub
 */
export function headerOf(message: { headers?: Msg['headers'] | undefined }, data: Uint8Array): (name: string) => string {
  const text = headersBefore(data);
  if (text === null) return (name) => message.headers?.get(name) ?? '';
  return (name) => {
    const line = text.indexOf(`\r\n${name}:`);
    if (line === -1) return '';
    const value = text.indexOf(':', line) + 1;
    return text.slice(value, text.indexOf('\r\n', value)).trim();
  };
}

const VERSION = 'NATS/1.0';
const LINE = '\r\n';
const END = '\r\n\r\n';
const LINE_FEED = 10;

/** Null unless nothing stands between them and the data, and their first line is all of its line: a value can end in the same words, and a message with a status has more in it. */
function headersBefore(data: Uint8Array): string | null {
  const before = Buffer.from(data.buffer, 0, data.byteOffset);
  const start = before.lastIndexOf(VERSION);
  if (start === -1 || (start > 0 && before[start - 1] !== LINE_FEED)) return null;
  const text = before.toString('utf8', start);
  return text.startsWith(LINE, VERSION.length) && text.indexOf(END) === text.length - END.length ? text : null;
}
