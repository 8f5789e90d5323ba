import { type IncomingMessage } from 'node:http';

/**
 * Whether a browser sends this request for a page that is not the simulator's own. Browsers let any page post anywhere on the machine
 * (https://developer.mozilla.org/docs/Web/HTTP/Headers/Origin); programs send no `Origin`.
 */
export function isForeign({ headers: { origin, host = '' } }: IncomingMessage): boolean {
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host.toLowerCase();
}
