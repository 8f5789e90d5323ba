/**
 * Finds payment card numbers in text: a run of digits, also grouped by spaces, dashes, dots or slashes, that has a card network's prefix, that
 * network's exact length and a valid Luhn check digit. Ids of ours and UUIDs are no card numbers, whatever their digits.
 */
export function containsCardNumber(text: string): boolean {
  return !cardNumbersIn(text.normalize('NFKC')).next().done;
}

/** The text with every card number replaced by `[card number]`. */
export function withoutCardNumbers(text: string): string {
  let clean = '';
  let end = 0;
  for (const found of cardNumbersIn(text)) {
    clean += `${text.slice(end, found.start)}[card number]`;
    end = found.end;
  }
  return clean + text.slice(end);
}

/** Prefix ranges and lengths of the networks (ISO/IEC 7812 ranges as the networks publish them). */
const NETWORKS: readonly { prefixes: RegExp; lengths: readonly number[] }[] = [
  { prefixes: /^4/, lengths: [13, 16, 19] },
  { prefixes: /^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16] },
  { prefixes: /^3[47]/, lengths: [15] },
  { prefixes: /^(6011|64[4-9]|65)/, lengths: [16, 19] },
  { prefixes: /^35(2[89]|[3-8])/, lengths: [16] },
  { prefixes: /^(30[0-5]|3095|36|38|39)/, lengths: [14, 16, 19] },
  { prefixes: /^62/, lengths: [16, 17, 18, 19] },
  { prefixes: /^(5018|5020|5038|5893|6304|6759|676[1-3])/, lengths: [16, 18, 19] },
];

const SHORTEST = 13;
const LONGEST = 19;
const NOT_CARDS = /\b(?:pay|rfd|rcp|rec|cks|req)_[A-Za-z0-9]+|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi;
const DIGIT_GROUPS = /\d+(?:[ \-./\u00a0]{1,2}\d+)*/g;

interface Span {
  start: number;
  end: number;
}

/** The text with our ids and UUIDs blotted out, of the same length. */
export const withoutIds = (text: string): string => text.replace(NOT_CARDS, (id) => '_'.repeat(id.length));

/** In the order in which they stand there; none overlaps another. */
function* cardNumbersIn(text: string): Generator<Span> {
  if (!/\d[\d \-./\u00a0]{11}/.test(text)) return;
  const masked = withoutIds(text);
  for (const run of masked.matchAll(DIGIT_GROUPS)) {
    if (isInsideHexOrId(masked, run.index, run.index + run[0].length)) continue;
    for (const { start, end } of windowsOfGroups(run[0])) yield { start: run.index + start, end: run.index + end };
  }
}

/** A digit run inside a longer mixed token (a hash, an opaque id) is not a number that somebody wrote; `card4242…` is. */
function isInsideHexOrId(text: string, start: number, end: number): boolean {
  const before = /[A-Za-z0-9]*$/.exec(text.slice(Math.max(0, start - 64), start))?.[0] ?? '';
  const after = /^[A-Za-z0-9]*/.exec(text.slice(end, end + 64))?.[0] ?? '';
  return /\d/.test(before) || /\d/.test(after);
}

/** Tries every sequence of neighbouring groups, so that an expiry date beside the number does not hide it. */
function* windowsOfGroups(run: string): Generator<Span> {
  const groups = [...run.matchAll(/\d+/g)].map((group) => ({ start: group.index, end: group.index + group[0].length, digits: group[0] }));
  for (let first = 0; first < groups.length; first += 1) {
    let digits = '';
    for (let last = first; last < groups.length && digits.length <= LONGEST; last += 1) {
      digits += groups[last]?.digits ?? '';
      if (!isCardNumber(digits)) continue;
      yield { start: groups[first]?.start ?? 0, end: groups[last]?.end ?? run.length };
      first = last;
      break;
    }
  }
}

function isCardNumber(digits: string): boolean {
  if (digits.length < SHORTEST || digits.length > LONGEST) return false;
  return NETWORKS.some((network) => network.lengths.includes(digits.length) && network.prefixes.test(digits)) && passesLuhn(digits);
}

function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let fromRight = 0; fromRight < digits.length; fromRight += 1) {
    const digit = Number(digits[digits.length - 1 - fromRight]);
    const weighted = fromRight % 2 === 0 ? digit : digit * 2;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return sum % 10 === 0;
}
