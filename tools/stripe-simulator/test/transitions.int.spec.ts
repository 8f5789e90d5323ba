import { describe, expect, it } from '@jest/globals';
import { OUTCOMES as OF_SESSIONS } from '../src/checkout/transitions.js';
import { OUTCOMES as OF_DISPUTES } from '../src/disputes/transitions.js';
import { OUTCOMES as OF_INVOICES } from '../src/invoices/transitions.js';
import { OUTCOMES as OF_INTENTS } from '../src/payment-intents/transitions.js';
import { OUTCOMES as OF_PAYOUTS } from '../src/payouts/transitions.js';
import { OUTCOMES as OF_REFUNDS } from '../src/refunds/transitions.js';
import { OUTCOMES as OF_SETUPS } from '../src/setup-intents/transitions.js';
import { OUTCOMES as OF_SUBSCRIPTIONS } from '../src/subscriptions/transitions.js';
import { charges } from './transitions/charge.table.js';
import { checkoutSessions } from './transitions/checkout-session.table.js';
import { disputes } from './transitions/dispute.table.js';
import { invoices } from './transitions/invoice.table.js';
import { paymentIntents } from './transitions/payment-intent.table.js';
import { payouts } from './transitions/payout.table.js';
import { refunds } from './transitions/refund.table.js';
import { setupIntents } from './transitions/setup-intent.table.js';
import { type Cell, type Table } from './transitions/table.js';
import { subscriptions } from './transitions/subscription.table.js';
import { walk } from './transitions/walk.js';

describe('The table of transitions: payment intents', () => walk(paymentIntents));
describe('The table of transitions: setup intents', () => walk(setupIntents));
describe('The table of transitions: charges', () => walk(charges));
describe('The table of transitions: refunds', () => walk(refunds));
describe('The table of transitions: disputes', () => walk(disputes));
describe('The table of transitions: payouts', () => walk(payouts));
describe('The table of transitions: invoices', () => walk(invoices));
describe('The table of transitions: subscriptions', () => walk(subscriptions));
describe('The table of transitions: checkout sessions', () => walk(checkoutSessions));

describe('The table of transitions', () => {
  it.each([
    ['payment intents', OF_INTENTS, paymentIntents],
    ['setup intents', OF_SETUPS, setupIntents],
    ['refunds', OF_REFUNDS, refunds],
    ['disputes', OF_DISPUTES, disputes],
    ['payouts', OF_PAYOUTS, payouts],
    ['invoices', OF_INVOICES, invoices],
    ['subscriptions', OF_SUBSCRIPTIONS, subscriptions],
    ['checkout sessions', OF_SESSIONS, checkoutSessions],
  ])('meets every event that can come of an operation on %s', (_, outcomes, table) => {
    const met = typesIn(table as unknown as Table<string, string>);
    const possible = Object.values(outcomes as Record<string, { events: readonly string[] }>).flatMap(({ events }) => events);
    expect(possible.filter((type) => !met.has(type))).toEqual([]);
  });
});

function typesIn({ states, cells }: Table<string, string>): Set<string> {
  const reached = Object.values(states).flatMap(({ events }) => events);
  const told = Object.values(cells)
    .flatMap((row) => Object.values(row))
    .flatMap((cell: Cell<string>) => ('refused' in cell ? [] : cell.events))
    .map((event) => (typeof event === 'string' ? event : event[0]));
  return new Set([...reached, ...told]);
}
