import { PaymentSnapshot } from '@tidegate/contracts/payment';
import { describe, expect, it } from '@jest/globals';
import { AT, authorized, declined, missing, opened, refunding, succeeded } from '../../test/given.js';
import { type Occurred, type PaymentEvent } from './payment.events.js';
import { publishedBy } from './payment.publish.js';
import { noPayment } from './payment.state.js';

const published = (...events: PaymentEvent[]) =>
  publishedBy(
    noPayment,
    events.map((event) => ({ ...event, at: AT }) as Occurred),
  );
const facts = (...events: PaymentEvent[]) =>
  published(...events).map((fact) => `${fact.aggregateVersion} ${fact.subject.split('.')[3]} ${fact.data.status}`);

describe('What is published', () => {
  it('is the birth and each change of status, counted from 1', () => {
    expect(facts(...succeeded())).toEqual(['1 created unknown', '2 succeeded succeeded']);
    expect(facts(...declined())).toEqual(['1 created unknown', '2 requires_payment_method requires_payment_method']);
  });
  it('says nothing about a missing answer that changes nothing for readers', () => {
    expect(facts(...opened(), missing('confirm'))).toEqual(['1 created unknown']);
  });
  it('tells what is held once more when an authorization was raised', () => {
    const raised: PaymentEvent[] = [
      { type: 'AmountChanged', data: { amount: 5000 } },
      { type: 'PaymentAuthorized', data: { amount_capturable: 5000, charge: 'ch_1', card: null } },
    ];
    const told = published(...authorized(), ...raised, ...raised).map(({ subject, data }) => [subject.split('.')[3], data.amount]);
    expect(told).toEqual([
      ['created', 4200],
      ['authorized', 4200],
      ['authorized', 5000],
    ]);
  });
  it('tells each change of a refund', () => {
    const recorded: PaymentEvent = {
      type: 'RefundRecorded',
      data: { refund_id: 'rfd_1', stripe_refund: 're_1', status: 'succeeded', amount: 1000, reason: null },
    };
    const completed: PaymentEvent = { type: 'RefundCompleted', data: { refund_id: 'rfd_1' } };
    expect(facts(...succeeded(), refunding('rfd_1', 1000), recorded, completed).slice(2)).toEqual([
      '3 refund_updated succeeded',
      '4 refund_updated succeeded',
    ]);
  });
  it('follows the contract', () => {
    for (const fact of published(...succeeded(), refunding('rfd_1', 1000))) expect(PaymentSnapshot.parse(fact.data)).toEqual(fact.data);
  });
});
