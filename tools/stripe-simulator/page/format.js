import { h } from './dom.js';

/** Currencies that Stripe counts in hundredths although others do not. */
const HUNDREDTHS = new Set(['isk', 'ugx']);

/** An amount in minor units as people write it. */
export function money(amount, currency) {
  if (typeof amount !== 'number') return '';
  if (typeof currency !== 'string' || !/^[a-z]{3}$/.test(currency)) return String(amount);
  const format = new Intl.NumberFormat(undefined, { style: 'currency', currency });
  const digits = HUNDREDTHS.has(currency) ? 2 : format.resolvedOptions().maximumFractionDigits;
  return format.format(amount / 10 ** digits);
}

/** The time of day, with the date when it is another day than `now` (both in milliseconds). */
export function when(ms, now = Date.now()) {
  const date = new Date(ms);
  const sameDay = date.toDateString() === new Date(now).toDateString();
  const time = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  return sameDay ? time : `${date.toLocaleDateString([], { day: 'numeric', month: 'short' })} ${time}`;
}

/** A length of time in its two largest units: `2 d 3 h`. */
export function span(seconds) {
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ];
  const parts = [];
  let left = Math.round(seconds);
  for (const [name, size] of units) {
    if (left >= size) parts.push(`${Math.floor(left / size)} ${name}`);
    left %= size;
  }
  return parts.slice(0, 2).join(' ') || '0 s';
}

const TONES = {
  good: ['succeeded', 'paid', 'complete', 'active', 'enabled', 'won', 'delivered', 'available', 'trialing', 'warning_closed'],
  bad: ['failed', 'lost', 'uncollectible', 'unpaid', 'past_due', 'needs_response', 'incomplete_expired', 'dropped'],
  wait: ['requires_action', 'requires_capture', 'requires_confirmation', 'requires_payment_method', 'processing', 'pending', 'in_transit'],
};
const MORE_WAITING = ['open', 'incomplete', 'under_review', 'warning_needs_response', 'warning_under_review', 'draft', 'paused'];

export function toneOf(status) {
  if (MORE_WAITING.includes(status)) return 'wait';
  return Object.keys(TONES).find((tone) => TONES[tone].includes(status)) ?? '';
}

/** A status in words, coloured by what it means. */
export function badge(status, tone = toneOf(status)) {
  return h('span', { class: `badge ${tone}` }, String(status).replaceAll('_', ' '));
}

/** HTTP status as a badge; null is a request without an answer. */
export function httpBadge(status) {
  if (status === null) return badge('no answer', 'bad');
  return badge(status, status < 300 ? 'good' : status < 500 ? 'wait' : 'bad');
}
