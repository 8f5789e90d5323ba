/**
 * What a person can do in the dashboard: which objects it is for, what the form asks, and the control route that does it.
 * `values` are the texts of the form's fields.
 */
const amountField = (hint) => ({ name: 'amount', label: 'Amount in minor units', type: 'number', placeholder: hint });
const amountOf = ({ amount }) => (amount === '' ? {} : { amount: Number(amount) });
const subject = (object) => ({ [object.object]: object.id });
const tookMoney = (object) =>
  (object.object === 'payment_intent' && object.status === 'succeeded') || (object.object === 'charge' && object.captured && object.paid);

const REFUND = {
  name: 'refund',
  label: 'Refund',
  when: (object) => tookMoney(object) && !object.refunded,
  fields: [
    amountField('all that is left'),
    { name: 'reason', label: 'Reason', options: [['', 'none'], ['requested_by_customer'], ['duplicate'], ['fraudulent']] },
  ],
  body: (object, values) => ({ ...subject(object), ...amountOf(values), ...(values.reason !== '' && { reason: values.reason }) }),
  done: (refund) => `Refund ${refund.id} is ${refund.status}.`,
};

const DISPUTE = {
  name: 'dispute',
  label: 'Dispute',
  when: (object) => tookMoney(object) && !object.disputed,
  fields: [
    {
      name: 'kind',
      label: 'Kind',
      options: [
        ['chargeback', 'chargeback: the money is taken'],
        ['inquiry', 'inquiry: only a question'],
      ],
    },
    {
      name: 'reason',
      label: 'Reason',
      options: [['fraudulent'], ['product_not_received'], ['duplicate'], ['general'], ['subscription_canceled']],
    },
    amountField('the whole payment'),
  ],
  body: (object, values) => ({ ...subject(object), kind: values.kind, reason: values.reason, ...amountOf(values) }),
  done: (dispute) => `Dispute ${dispute.id}: ${dispute.status.replaceAll('_', ' ')}.`,
};

const CLOSE_DISPUTE = {
  name: 'close_dispute',
  label: 'Close dispute',
  when: ({ object, status }) => object === 'dispute' && !['won', 'lost', 'warning_closed', 'prevented'].includes(status),
  fields: ({ status }) => [
    {
      name: 'outcome',
      label: 'The bank decides',
      options: status.startsWith('warning_')
        ? [
            ['warning_closed', 'the inquiry ends'],
            ['escalated', 'it becomes a chargeback'],
          ]
        : [
            ['won', 'won: the money comes back'],
            ['lost', 'lost: the money is gone'],
          ],
    },
  ],
  body: ({ id }, { outcome }) => ({ dispute: id, outcome }),
  done: (dispute) => `Dispute ${dispute.id}: ${dispute.status.replaceAll('_', ' ')}.`,
};

const COMPLETE_ACTION = {
  name: 'complete_action',
  label: 'Complete authentication',
  when: ({ object, status }) => ['payment_intent', 'setup_intent'].includes(object) && status === 'requires_action',
  fields: [
    {
      name: 'outcome',
      label: 'The customer',
      options: [
        ['succeed', 'passes the check'],
        ['fail', 'fails the check'],
      ],
    },
  ],
  body: (object, { outcome }) => ({ ...subject(object), ...(outcome === 'fail' && { outcome }) }),
  done: (intent) => `The ${intent.object === 'setup_intent' ? 'setup' : 'payment'} is ${intent.status.replaceAll('_', ' ')}.`,
};

const CANCEL = {
  name: 'cancel',
  label: 'Cancel payment',
  when: ({ object, status }) => object === 'payment_intent' && !['succeeded', 'canceled'].includes(status),
  fields: [
    { name: 'reason', label: 'Reason', options: [['', 'none'], ['requested_by_customer'], ['abandoned'], ['duplicate'], ['fraudulent']] },
  ],
  body: ({ id }, { reason }) => ({ payment_intent: id, ...(reason !== '' && { reason }) }),
  done: 'The payment is canceled.',
};

const PAY_CHECKOUT = {
  name: 'pay_checkout',
  label: 'Pay as the customer',
  when: ({ object, status }) => object === 'checkout.session' && status === 'open',
  fields: [
    {
      name: 'payment_method',
      label: 'Payment method',
      options: [
        ['pm_card_visa', 'Visa that works'],
        ['pm_card_mastercard', 'Mastercard that works'],
        ['pm_card_chargeDeclined', 'card that is declined'],
        ['pm_card_createDispute', 'card whose payment is disputed later'],
      ],
    },
  ],
  body: ({ id }, values) => ({ session: id, payment_method: values.payment_method }),
  done: 'The checkout is paid.',
};

const END_PAYOUT = {
  name: 'payout',
  label: 'End payout',
  when: ({ object, status }) => object === 'payout' && ['pending', 'in_transit', 'paid'].includes(status),
  fields: ({ status }) => [
    { name: 'outcome', label: 'The bank', options: [...(status === 'paid' ? [] : [['paid', 'takes it']]), ['failed', 'sends it back']] },
  ],
  body: ({ id }, { outcome }) => ({ payout: id, outcome }),
  done: (payout) => `The payout is ${payout.status}.`,
};

const ROTATE_SECRET = {
  name: 'rotate_secret',
  label: 'Roll secret',
  when: ({ object }) => object === 'webhook_endpoint' || object === 'v2.core.event_destination',
  fields: [
    {
      name: 'expires',
      label: 'The old secret signs too',
      options: [
        ['0', 'no longer'],
        ['3600', 'for an hour'],
        ['86400', 'for a day'],
      ],
    },
  ],
  body: ({ id }, { expires }) => ({ endpoint: id, expires_in_seconds: Number(expires) }),
  done: ({ secret }) => `The new secret is ${secret}`,
};

const EDIT = {
  name: 'edit',
  label: 'Edit…',
  when: ({ object }) => object !== 'event' && object !== 'webhook_endpoint' && object !== 'v2.core.event_destination',
  note: 'Overwrites fields directly, even where the API would not: for a Stripe that disagrees with you.',
  fields: [{ name: 'changes', label: 'Changes as JSON', type: 'json', value: '{\n  "metadata": {}\n}' }],
  body: ({ id }, { changes }) => ({ id, changes: JSON.parse(changes) }),
  done: 'The fields are overwritten.',
};

/** A new payout belongs to no object. */
export const PAYOUT = {
  name: 'payout',
  label: 'New payout',
  fields: [
    { name: 'currency', label: 'Currency', value: 'usd' },
    amountField('everything available'),
    {
      name: 'outcome',
      label: 'Then',
      options: [
        ['', 'let it take its time'],
        ['paid', 'paid at once'],
        ['failed', 'failed at once'],
      ],
    },
  ],
  body: (_, values) => ({ currency: values.currency, ...amountOf(values), ...(values.outcome !== '' && { outcome: values.outcome }) }),
  done: (payout) => `Payout ${payout.id} is ${payout.status}.`,
};

const ALL = [COMPLETE_ACTION, PAY_CHECKOUT, REFUND, DISPUTE, CLOSE_DISPUTE, END_PAYOUT, CANCEL, ROTATE_SECRET, EDIT];

/** The actions that make sense for an object as it is now. */
export function actionsFor(object) {
  return ALL.filter((action) => action.when(object));
}
