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
    if (run[0].length < SHORTEST) continue;
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
  const { groups, digits } = groupsOf(run);
  for (let first = 0; first < groups.length; first += 1) {
    const last = lastOfCardNumber(groups, first, digits);
    if (last === -1) continue;
    yield { start: groups[first]?.start ?? 0, end: groups[last]?.end ?? run.length };
    first = last;
  }
}

interface Group extends Span {
  /** Digits of the groups before it. */
  before: number;
}

/** Without a regular expression: the groups of a long text can be as many as half of its characters. */
function groupsOf(run: string): { groups: Group[]; digits: Digits } {
  const digits = new Digits(run.length);
  const groups: Group[] = [];
  let group: Group | null = null;
  for (let place = 0; place < run.length; place += 1) {
    const digit = run.charCodeAt(place) - ZERO;
    if (digit < 0 || digit > 9) {
      group = null;
      continue;
    }
    if (group === null) groups.push((group = { start: place, end: place, before: digits.count }));
    group.end = place + 1;
    digits.add(digit);
  }
  return { groups, digits };
}

/** The group with which a card number ends that begins with the group `first`; -1 where none begins there. */
function lastOfCardNumber(groups: readonly Group[], first: number, digits: Digits): number {
  const start = groups[first]?.before ?? 0;
  const lengths = digits.lengthsAt(start);
  if (lengths === 0) return -1;
  for (let last = first; last < groups.length; last += 1) {
    const end = groups[last + 1]?.before ?? digits.count;
    if (end - start > LONGEST) return -1;
    if (lengths & (1 << (end - start)) && digits.passLuhn(start, end)) return last;
  }
  return -1;
}

const ZERO = 0x30;

/** The digits of a run. What is asked of some of them takes the same few steps wherever and however often it is asked: a long run has many windows. */
class Digits {
  count = 0;
  readonly #values: Uint8Array;
  /** Sums of all before each place, where digits at even places count double, and where those at odd places do. */
  readonly #sums: readonly [Uint32Array, Uint32Array];

  constructor(most: number) {
    this.#values = new Uint8Array(most);
    this.#sums = [new Uint32Array(most + 1), new Uint32Array(most + 1)];
  }

  add(digit: number): void {
    const doubled = digit > 4 ? digit * 2 - 9 : digit * 2;
    const [even, odd] = this.#sums;
    const isEven = this.count % 2 === 0;
    this.#values[this.count] = digit;
    even[this.count + 1] = (even[this.count] ?? 0) + (isEven ? doubled : digit);
    odd[this.count + 1] = (odd[this.count] ?? 0) + (isEven ? digit : doubled);
    this.count += 1;
  }

  /** Lengths, as bits, of the card numbers whose network's prefix stands here. */
  lengthsAt(start: number): number {
    if (this.count - start < SHORTEST) return 0;
    const [a = 0, b = 0, c = 0, d = 0] = [this.#values[start], this.#values[start + 1], this.#values[start + 2], this.#values[start + 3]];
    return lengthsOf(((a * 10 + b) * 10 + c) * 10 + d);
  }

  /** From the right, every second digit counts double. */
  passLuhn(start: number, end: number): boolean {
    const sums = this.#sums[end % 2 === 0 ? 0 : 1];
    return ((sums[end] ?? 0) - (sums[start] ?? 0)) % 10 === 0;
  }
}

/** By the first four digits; there are ten thousand at most. */
const lengthsByPrefix = new Map<number, number>();

function lengthsOf(prefix: number): number {
  const known = lengthsByPrefix.get(prefix);
  if (known !== undefined) return known;
  const digits = String(prefix).padStart(4, '0');
  const lengths = NETWORKS.filter(({ prefixes }) => prefixes.test(digits)).flatMap((network) => network.lengths);
  const bits = lengths.reduce((all, length) => all | (1 << length), 0);
  lengthsByPrefix.set(prefix, bits);
  return bits;
}
