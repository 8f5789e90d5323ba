import { createHmac, timingSafeEqual } from 'node:crypto';

export interface LinkClaim {
  receiptId: string;
  /** Seconds since the epoch. */
  until: number;
}

const TOKEN = /^([A-Za-z0-9_-]{1,120})\.([A-Za-z0-9_-]{43})$/;

/** `<receipt id and last second>.<HMAC-SHA256>`, both base64url: a link that nobody can alter, and that says itself until when it works. */
export function signLink({ receiptId, until }: LinkClaim, secret: string): string {
  const body = Buffer.from(`${receiptId}:${until}`).toString('base64url');
  return `${body}.${macOf(body, secret)}`;
}

/** What a link says, expired or not; null when none of the keys signed it. */
export function readLink(token: string, secrets: readonly string[]): LinkClaim | null {
  const [, body, mac] = TOKEN.exec(token) ?? [];
  if (body === undefined || mac === undefined) return null;
  if (!secrets.some((secret) => timingSafeEqual(Buffer.from(macOf(body, secret)), Buffer.from(mac)))) return null;
  const [, receiptId, until] = /^(rcp_[0-9a-f]+):(\d+)$/.exec(Buffer.from(body, 'base64url').toString()) ?? [];
  return receiptId === undefined ? null : { receiptId, until: Number(until) };
}

const macOf = (body: string, secret: string): string => createHmac('sha256', secret).update(body).digest('base64url');
