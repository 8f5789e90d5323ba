import { containsCardNumber, withoutIds } from './card-number.js';

/**
 * Whether a text holds a card number in any way that programs write text: plain, in digits of other scripts, split by invisible characters or unusual
 * separators, percent-encoded, as HTML or JSON escapes, in base64 or in hexadecimal. Stricter than what is taken out of logs: for refusing a request.
 */
export function hidesCardNumber(text: string): boolean {
  if (text.length < SHORTEST) return false;
  // Before their dashes are read as blanks.
  return [...new Set(readingsOf(withoutIds(text)))].some((reading) => containsCardNumber(reading));
}

const SHORTEST = 13;
/** Encodings within encodings that are undone. */
const DEEPEST = 3;

function readingsOf(text: string): string[] {
  const readings = [text, plain(text)];
  for (let [before, depth] = [text, 0]; depth < DEEPEST; depth += 1) {
    const after = unescaped(before);
    if (after === before) break;
    readings.push(after, plain(after));
    before = after;
  }
  const last = readings.at(-1) ?? text;
  return [...readings, ...decoded(last)];
}

/** ASCII digits, single blanks for whatever separates, nothing that cannot be seen. */
function plain(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .replace(OTHER_DIGITS, digitOf)
    .replace(/[\p{Pd}\p{Pc}\s·•]+/gu, ' ');
}

const OTHER_DIGITS = /[^\P{Nd}0-9]/gu;
/** There are some hundreds. */
const knownDigits = new Map<string, string>();

/** Each script has its ten digits in a row, from zero. */
function digitOf(char: string): string {
  const known = knownDigits.get(char);
  if (known !== undefined) return known;
  const point = char.codePointAt(0) ?? 0;
  let zero = point;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  const digit = String((point - zero) % 10);
  knownDigits.set(char, digit);
  return digit;
}

const ASCII_ESCAPES = /%([0-7][0-9a-f])|&#x([0-7]?[0-9a-f]);|&#(\d{2,3});|\\u00([0-7][0-9a-f])|\\x([0-7][0-9a-f])/gi;

const unescaped = (text: string): string =>
  text.replace(ASCII_ESCAPES, (_all, percent?: string, hexEntity?: string, entity?: string, json?: string, script?: string) =>
    String.fromCharCode(entity === undefined ? parseInt(percent ?? hexEntity ?? json ?? script ?? '', 16) : Number(entity)),
  );

/** What base64 and hexadecimal tokens in the text stand for. */
function decoded(text: string): string[] {
  const base64 = [...text.matchAll(/[A-Za-z0-9+/_-]{17,}/g)].map(([token]) => Buffer.from(token, 'base64').toString('latin1'));
  const hex = [...text.matchAll(/(?:3[0-9]|2[0d-f]){13,}/gi)].map(([token]) => Buffer.from(token, 'hex').toString('latin1'));
  return [...base64, ...hex];
}
