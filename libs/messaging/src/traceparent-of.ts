const NAME = Buffer.from('"traceparent":');
const VALUE = /^"([^"]+)"/;
const CHARS = 64;

/**
 * The traceparent of an envelope in JSON, read without parsing all of the message; null when it has none. Within a string of JSON no quotation mark stands by itself, and
 * the envelope's own field comes before its data.
 */
export function traceparentOf(bytes: Buffer): string | null {
  const at = bytes.indexOf(NAME);
  return at < 0 ? null : (VALUE.exec(bytes.toString('latin1', at + NAME.length, at + NAME.length + CHARS))?.[1] ?? null);
}
