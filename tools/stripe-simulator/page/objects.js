/* global location */
import { byId, emptied, h, keyed } from './dom.js';
import { badge, money, when } from './format.js';
import { openForm } from './detail.js';
import { PAYOUT } from './actions.js';

let onKind = () => undefined;

export function startObjects({ search, onKind: chosen, onSearch }) {
  onKind = chosen;
  const input = byId('search');
  input.value = search;
  let waiting;
  input.addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => onSearch(input.value), 200);
  });
  byId('new-payout').addEventListener('click', () => openForm(PAYOUT));
}

export function showKinds(kinds, chosen) {
  const shown = kinds.map((kind) => ({ ...kind, chosen: kind.name === chosen }));
  keyed(byId('kinds'), shown, ({ name }) => name, kindButton);
  byId('kinds').dataset.filled = 'yes';
}

function kindButton({ name, label, count, chosen }) {
  const attributes = { 'aria-current': chosen ? 'true' : null, class: count === 0 ? 'none' : null, onclick: () => onKind(name) };
  return h('button', attributes, h('span', {}, label), h('span', { class: 'count' }, count === 0 ? '' : count.toLocaleString()));
}

export function clearObjects() {
  emptied(byId('rows'));
}

export function showObjects({ objects, kinds, clock }, kind, search) {
  const label = kinds.find(({ name }) => name === kind)?.label ?? kind;
  byId('kind-label').textContent = label;
  byId('new-payout').hidden = kind !== 'payouts';
  keyed(
    byId('rows'),
    objects,
    ({ id }) => id,
    (object) => row(object, new Date(clock.now).getTime()),
  );
  const empty = byId('empty');
  empty.hidden = objects.length > 0;
  const print = `${label} ${search}`;
  if (empty.dataset.print === print) return;
  empty.dataset.print = print;
  empty.replaceChildren(...(search === '' ? nothingYet(label) : [`Nothing in ${label} matches “${search}”.`]));
}

function nothingYet(label) {
  const base = `http://127.0.0.1:${location.port || 80}`;
  return [
    h('strong', {}, `No ${label.toLowerCase()} yet`),
    h('span', {}, `Point an SDK at ${location.origin}, or try the Stripe CLI:`),
    h('code', {}, `stripe trigger payment_intent.succeeded --api-base ${base} --api-key sk_test_…`),
  ];
}

function row(object, now) {
  const amount = object.amount ?? object.amount_total ?? object.amount_due ?? object.unit_amount;
  const about = object.description ?? object.name ?? object.email ?? object.url ?? object.event_name ?? object.customer ?? object.reason;
  return h(
    'tr',
    {},
    h(
      'td',
      {},
      h('button', { class: 'ref', 'data-open': object.id }, object.id),
      about === undefined ? null : h('span', { class: 'sub', title: String(about) }, String(about)),
    ),
    h('td', {}, ...badges(object)),
    h('td', { class: 'number' }, money(amount, object.currency)),
    h('td', { class: 'when' }, createdText(object.created, now)),
  );
}

function badges({ status, payment_status: payment, type, disputed, refunded, amount_refunded: back, active }) {
  const shown = [];
  if (status !== undefined) shown.push(badge(status));
  else if (typeof active === 'boolean') shown.push(badge(active ? 'active' : 'inactive'));
  else if (type !== undefined) shown.push(badge(type, ''));
  if (payment !== undefined) shown.push(' ', badge(payment));
  if (refunded) shown.push(' ', badge('refunded', ''));
  else if (back > 0) shown.push(' ', badge('partly refunded', ''));
  if (disputed) shown.push(' ', badge('disputed', 'bad'));
  return shown;
}

function createdText(created, now) {
  if (created === undefined) return '';
  return when(typeof created === 'number' ? created * 1000 : Date.parse(created), now);
}
