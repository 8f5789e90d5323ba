import { createHmac, timingSafeEqual } from 'node:crypto';

export type Verdict = { ok: true; timestamp: number } | { ok: false; reason: 'header_malformed' | 'no_match' | 'outside_tolerance' };

export interface SignatureRules {
  /** Every active signing secret, `whsec_` included; one match is enough. */
  secrets: readonly string[];
  /** How far the signature's time may be from ours, into the past and into the future. */
  toleranceSeconds: number;
  nowSeconds: number;
}

/**
 * Whether Stripe signed exactly these bytes, recently. Looks at every `v1` of the header; other schemes do not count.
 * https://docs.stripe.com/webhooks#verify-manually. The SDK's check passes times in the future, this one does not.
 */
export function verifySignature(rawBody: Uint8Array, header: string | undefined, rules: SignatureRules): Verdict {
  const parsed = parse(header ?? '');
  if (!parsed) return { ok: false, reason: 'header_malformed' };
  const matched = rules.secrets.some((secret) => secret.trim() !== '' && matches(rawBody, parsed, secret));
  if (!matched) return { ok: false, reason: 'no_match' };
  if (Math.abs(rules.nowSeconds - parsed.timestamp) > rules.toleranceSeconds) return { ok: false, reason: 'outside_tolerance' };
  return { ok: true, timestamp: parsed.timestamp };
}

/** The same with plain arguments, true when the signature holds. */
export function verify(
  rawBody: Uint8Array,
  header: string | undefined,
  secrets: readonly string[],
  toleranceSeconds: number,
  nowSeconds: number,
): boolean {
  return verifySignature(rawBody, header, { secrets, toleranceSeconds, nowSeconds }).ok;
}

/** A `Stripe-Signature` header for a body; for tests and for signing a replay to oneself. */
export function sign(rawBody: Uint8Array, secret: string, timestampSeconds: number): string {
  return `t=${timestampSeconds},v1=${hmac(rawBody, timestampSeconds, secret).toString('hex')}`;
}

interface Parsed {
  timestamp: number;
  signatures: Buffer[];
}

const SHA256_HEX = /^[0-9a-f]{64}$/i;
const SECONDS = /^\d{1,12}$/;

function parse(header: string): Parsed | null {
  let time: string | undefined;
  const signatures: Buffer[] = [];
  for (const part of header.split(',')) {
    const at = part.indexOf('=');
    const [name, value] = [part.slice(0, Math.max(0, at)).trim(), part.slice(at + 1)];
    if (name === 't') time ??= value;
    else if (name === 'v1' && SHA256_HEX.test(value)) signatures.push(Buffer.from(value, 'hex'));
  }
  if (time === undefined || !SECONDS.test(time) || signatures.length === 0) return null;
  return { timestamp: Number(time), signatures };
}

function matches(rawBody: Uint8Array, { timestamp, signatures }: Parsed, secret: string): boolean {
  const expected = hmac(rawBody, timestamp, secret);
  return signatures.some((signature) => timingSafeEqual(signature, expected));
}

const hmac = (rawBody: Uint8Array, timestamp: number, secret: string): Buffer =>
  createHmac('sha256', secret).update(`${timestamp}.`).update(rawBody).digest();
