import { invalidParam } from '../http/errors.js';
import { type Params } from '../schema/params.js';

/** RFC 5321: 64 characters before the @, then labels that neither begin nor end with a hyphen. Stripe's own rule is not published. */
const MAIL_ADDRESS = /^[^\s@]{1,64}@([\p{L}\p{N}]([\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+[\p{L}\p{N}-]+$/u;

/** Refuses what is no mail address in the words of Stripe, which quote it. An absent or emptied one is fine. */
export function mustBeMailAddress(params: Params, name: string): void {
  const value = params[name];
  if (typeof value === 'string' && !MAIL_ADDRESS.test(value)) throw invalidParam(`Invalid email address: ${value}`, name, 'email_invalid');
}
