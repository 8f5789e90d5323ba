import { createHmac } from 'node:crypto';

/** `Stripe-Signature` over the exact body: one `v1` per active secret, `t` in unix seconds of wall time. */
export function signatureHeader(body: string, secrets: readonly string[], atSeconds: number): string {
  const signatures = secrets.map((secret) => `v1=${createHmac('sha256', secret).update(`${atSeconds}.${body}`).digest('hex')}`);
  return [`t=${atSeconds}`, ...signatures].join(',');
}
