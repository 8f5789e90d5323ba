/* global document */
import { followBillingStream } from './billing-stream.js';
import { money } from './money.js';

const FACTS = {
  'payment.created': 'accepted',
  'payment.requires_payment_method': 'declined',
  'payment.requires_action': 'payer must act',
  'payment.processing': 'on its way',
  'payment.authorized': 'authorized',
  'payment.succeeded': 'paid',
  'payment.canceled': 'canceled',
  'payment.failed': 'failed',
  'payment.unknown': 'Stripe is silent',
  'payment.refund_updated': 'refund',
  'payment.dispute_opened': 'dispute opened',
  'payment.dispute_updated': 'dispute changed',
  'payment.dispute_funds_withdrawn': 'dispute: money taken',
  'payment.dispute_funds_reinstated': 'dispute: money back',
  'payment.dispute_closed': 'dispute closed',
};
const MOST_ROWS = 50;
const LABELS = { connecting: 'Connecting', live: 'Live', waiting: 'Waiting for Tidegate' };

const byId = (id) => document.getElementById(id);
const payments = new Map();

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** The newest state of each payment; what is older than what we show changes nothing. */
function show({ id, status, amount, amount_refunded: refunded, currency, updated_at: at }) {
  const known = payments.get(id);
  if (known && known.at > at) return;
  const row = document.createElement('tr');
  row.dataset.id = id;
  row.append(
    element('td', id, 'id'),
    element('td', money(amount, currency), 'amount'),
    element('td', refunded > 0 ? money(refunded, currency) : '', 'amount'),
  );
  const cell = document.createElement('td');
  cell.append(element('span', status.replaceAll('_', ' '), `status ${status}`));
  row.append(cell);
  known?.row.remove();
  byId('payments').prepend(row);
  payments.set(id, { row, at });
  byId('empty').hidden = true;
  trim(byId('payments'), (gone) => payments.delete(gone.dataset.id));
}

function tell(type, { occurred_at: at, data }, eventId) {
  const line = document.createElement('li');
  line.dataset.event = eventId;
  const time = element('time', new Date(at).toLocaleTimeString('en', { hour12: false }));
  time.dateTime = at;
  line.append(time, element('strong', FACTS[type]), element('span', `${money(data.amount, data.currency)} · ${data.payment_id}`));
  byId('events').prepend(line);
  byId('count').textContent = String(Number(byId('count').textContent) + 1);
  trim(byId('events'));
}

function trim(list, forget = () => undefined) {
  while (list.childElementCount > MOST_ROWS) {
    forget(list.lastElementChild);
    list.lastElementChild.remove();
  }
}

let reads = 0;

/** The state over the API, in the place of what is shown: what the stream does not tell because it was before, or cannot tell any more. Tries until it is there. */
async function readState() {
  const mine = (reads += 1);
  payments.clear();
  byId('payments').replaceChildren();
  for (let pause = 500; ; pause = Math.min(pause * 2, 30_000)) {
    const found = await paymentsNow();
    // It was begun anew meanwhile: what we found is from before.
    if (mine !== reads) return;
    if (found) return showAll(found);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** Null when there is no answer. */
async function paymentsNow() {
  try {
    const response = await fetch('/payments');
    return response.ok ? (await response.json()).data : null;
  } catch {
    return null;
  }
}

function showAll(found) {
  for (const payment of found.toReversed()) show(payment);
  byId('empty').hidden = payments.size > 0;
  const read = byId('read');
  read.textContent = String(Number(read.textContent) + 1);
}

followBillingStream({
  types: Object.keys(FACTS),
  getToken: async () => {
    const response = await fetch('/stream-token', { method: 'POST' });
    if (!response.ok) throw new Error(`no token: ${response.status}`);
    return response.json();
  },
  begin: () => void readState(),
  event: (type, contract, id) => {
    show({ ...contract.data, id: contract.data.payment_id });
    tell(type, contract, id);
  },
  status: (status) => {
    byId('status').className = `pill ${status}`;
    byId('status').textContent = LABELS[status];
  },
});
