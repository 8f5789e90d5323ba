import { type NatsConnection } from '@nats-io/transport-node';
import { isJsError, JS_ERROR, jsApi } from './js-api.js';
import { parsePlace, type Place, POSITION_HEADER } from './position-header.js';

/** The outbox position of the last message in a stream; null when there is no such stream, when it is empty, or when the message names none. */
export async function lastPlaceInStream(nc: NatsConnection, stream: string): Promise<Place | null> {
  try {
    const info = await jsApi<{ state: { last_seq: number; messages: number } }>(nc, `STREAM.INFO.${stream}`);
    if (info.state.messages === 0) return null;
    const { message } = await jsApi<{ message: { hdrs?: string } }>(nc, `STREAM.MSG.GET.${stream}`, { seq: info.state.last_seq });
    return parsePlace(headerOf(message.hdrs, POSITION_HEADER));
  } catch (error) {
    if (isJsError(error, JS_ERROR.noMessageFound, JS_ERROR.streamNotFound)) return null;
    throw error;
  }
}

/** Headers come as base64 of `NATS/1.0\r\nName: value\r\n…`. */
function headerOf(encoded: string | undefined, name: string): string | undefined {
  const lines = Buffer.from(encoded ?? '', 'base64')
    .toString('utf8')
    .split('\r\n');
  return lines
    .find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    ?.slice(name.length + 1)
    .trim();
}
