import { withoutCardNumbers } from './card-number.js';
import { withoutMailAddresses } from './mail-address.js';

/** What a secret looks like, whichever field or message it slipped into. */
const SECRETS: readonly { pattern: RegExp; replacement: string }[] = [
  { pattern: /\b(sk|rk)_[A-Za-z0-9_]{6,}/g, replacement: '$1_[secret]' },
  { pattern: /\bwhsec_[A-Za-z0-9+/=_-]{4,}/g, replacement: 'whsec_[secret]' },
  { pattern: /\btg_(test|live|stream)_[A-Za-z0-9_]{4,}/g, replacement: 'tg_$1_[secret]' },
  { pattern: /_secret_[A-Za-z0-9]{4,}/g, replacement: '_secret_[secret]' },
  { pattern: /\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{6,}/gi, replacement: '$1 [secret]' },
];

/** The text without API keys, signing secrets, client secrets, passwords in URLs, card numbers and mail addresses. For logs, spans and error texts. */
export function scrub(text: string): string {
  let clean = text;
  for (const { pattern, replacement } of SECRETS) clean = clean.replace(pattern, replacement);
  return withoutMailAddresses(withoutCardNumbers(withoutPasswords(clean)));
}

/** Nearly no line has an `@`; to see that costs a hundredth of looking at each word. */
const withoutPasswords = (text: string): string => (text.includes('@') ? text.replace(WORD, withoutPassword) : text);

const WORD = /[^\s@"]+@?/g;

/** What stands before an `@` is looked at once, however many URLs begin in it: searched for from each of them, a long text costs the square of its length. */
function withoutPassword(word: string): string {
  return word.endsWith('@') ? word.replace(/(:\/\/[^:/]*):.+@$/, '$1:[secret]@') : word;
}
