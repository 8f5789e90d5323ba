/* global document, navigator, URLSearchParams */
import { actionForm } from './action-form.js';
import { actionsFor } from './actions.js';
import { byId, h, toast } from './dom.js';
import { badge, money, when } from './format.js';

/** What the sheet shows now: its text, to see changes, and the action whose form is open. */
let open = { id: '', print: '', action: undefined };

/** A closed sheet is forgotten, so that an answer that comes late does not open it again. */
export function startDetail() {
  byId('detail').addEventListener('close', () => {
    open = { id: '', print: '', action: undefined };
  });
}

/** Opens the sheet of an object or event. */
export async function openDetail(id) {
  open = { id, print: '', action: undefined };
  if (!(await refreshDetail(true))) toast(`Nothing has the id ${id} any more.`, true);
}

/** The sheet with one form that belongs to no object. */
export function openForm(action) {
  open = { id: '', print: '', action };
  const title = h('header', {}, h('div', {}, h('h2', { id: 'detail-id' }, action.label)), closeButton());
  show(h('div', { class: 'sheet' }, title, actionForm(action, {}, close)));
}

/** Shows what has changed, but not under the hands of somebody who fills in a form. */
export async function refreshDetail(force = false) {
  const dialog = byId('detail');
  const { id } = open;
  if (id === '' || (!force && (!dialog.open || open.action !== undefined))) return false;
  const wasOpen = dialog.open;
  const response = await fetch(`/__page/object?${new URLSearchParams({ id })}`);
  const found = response.ok ? await response.json() : undefined;
  // Whoever closed the sheet in between does not want it back.
  if (found === undefined || open.id !== id || (wasOpen && !dialog.open)) return false;
  if (open.action !== undefined) return true;
  const print = JSON.stringify(found);
  if (print !== open.print) {
    open.print = print;
    const unfolded = dialog.querySelector('details')?.open ?? false;
    show(sheet(found, unfolded));
  }
  return true;
}

function show(content) {
  const dialog = byId('detail');
  const top = dialog.scrollTop;
  const hadFocus = dialog.open && dialog.contains(document.activeElement);
  dialog.replaceChildren(content);
  if (!dialog.open) dialog.showModal();
  else if (hadFocus) dialog.querySelector('button')?.focus();
  dialog.scrollTop = top;
}

function close() {
  byId('detail').close();
}

function sheet({ object, events, deliveries }, unfolded) {
  const place = h('div', {});
  const buttons = actionsFor(object).map((action) =>
    h('button', { 'aria-expanded': 'false', onclick: ({ target }) => toggle(action, object, place, target) }, action.label),
  );
  const links = linksOf(object).map(([label, href]) => link(href, label));
  return h(
    'div',
    { class: 'sheet' },
    h(
      'header',
      {},
      h(
        'div',
        {},
        h('h2', { id: 'detail-id' }, object.id),
        h('span', { class: 'hint' }, String(object.object).replaceAll('_', ' ').replaceAll('.', ' ')),
      ),
      h('button', { onclick: () => copy(object.id) }, 'Copy id'),
      closeButton(),
    ),
    buttons.length + links.length === 0 ? null : h('div', { class: 'actions' }, ...links, ...buttons),
    place,
    h('dl', {}, ...facts(object).flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])),
    events.length === 0 ? null : h('section', {}, h('h3', {}, 'Events'), h('ul', { class: 'list' }, ...events.map(eventLine))),
    deliveries.length === 0
      ? null
      : h('section', {}, h('h3', {}, 'Deliveries'), h('ul', { class: 'list' }, ...deliveries.map(deliveryLine))),
    h(
      'details',
      { open: unfolded || events.length === 0 },
      h('summary', {}, 'JSON'),
      h('pre', { tabindex: '0' }, JSON.stringify(object, null, 2)),
    ),
  );
}

/** Pages of the simulator that belong to an object. */
function linksOf({ object, url, next_action: action, hosted_invoice_url: invoice }) {
  const found = [
    ['Open the hosted page', object === 'checkout.session' ? url : undefined],
    ["Open the bank's page", action?.redirect_to_url?.url],
    ['Open the invoice', invoice],
  ];
  return found.filter(([, href]) => typeof href === 'string');
}

/** Only web addresses become links. */
function link(href, label) {
  return /^https?:/.test(href) ? h('a', { href, target: '_blank', rel: 'noopener' }, label) : label;
}

function toggle(action, object, place, button) {
  const same = open.action === action;
  for (const other of button.parentElement.querySelectorAll('[aria-expanded]')) other.setAttribute('aria-expanded', 'false');
  place.replaceChildren();
  open.action = same ? undefined : action;
  if (same) return void refreshDetail(true);
  button.setAttribute('aria-expanded', 'true');
  place.append(
    actionForm(action, object, () => {
      open.action = undefined;
      void refreshDetail(true);
    }),
  );
  place.querySelector('input, select, textarea')?.focus();
}

const closeButton = () => h('button', { onclick: close, 'aria-label': 'Close' }, '✕');

async function copy(text) {
  await navigator.clipboard?.writeText(text);
  toast('Copied.');
}

const MONEY = /^(amount|unit_amount|balance|fee|net|total|subtotal)(_|$)/;
const TIMES = /^(created|expires_at|available_on|arrival_date|canceled_at|due_by|ended_at|start_date)$/;
const LEFT_OUT = new Set(['id', 'object', 'livemode', 'client_secret']);
const FIRST = ['status', 'payment_status', 'amount', 'amount_total', 'amount_due', 'currency'];
const ID = /^(pi|ch|py|re|du|dp|txn|po|cs_test|cus|prod|price|sub|in|ii|pm|seti|mtr|evt|we|ed_test)_\w+$/;

/** The plain fields that say something, with ids as links to their objects. */
function facts(object) {
  const shown = Object.entries(object).filter(
    ([name, value]) => !LEFT_OUT.has(name) && value !== null && value !== '' && typeof value !== 'object',
  );
  const place = ([name]) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return shown.toSorted((a, b) => place(a) - place(b)).map(([name, value]) => [name.replaceAll('_', ' '), fact(name, value, object)]);
}

function fact(name, value, { currency }) {
  if (name.endsWith('status')) return badge(value);
  if (typeof value === 'number' && TIMES.test(name)) return when(value * 1000, 0);
  if (typeof value === 'number' && MONEY.test(name) && currency !== undefined) return `${money(value, currency)}`;
  if (typeof value === 'string' && ID.test(value) && !value.includes('_secret'))
    return h('button', { class: 'ref', 'data-open': value }, value);
  return typeof value === 'string' ? link(value, value) : String(value);
}

function eventLine({ id, type, created, about }) {
  return h(
    'li',
    {},
    h('span', { class: 'when' }, when(created * 1000)),
    h('button', { class: 'ref what', 'data-open': id }, type),
    h('span', { class: 'when mono', title: about }, about.slice(0, 10)),
  );
}

function deliveryLine({ event, event_type: type, url, result, status, error }) {
  return h(
    'li',
    {},
    badge(result),
    h('button', { class: 'ref what', 'data-open': event }, type),
    h('span', { class: 'when' }, status === null ? (error ?? '') : `HTTP ${status}`),
    h('span', { class: 'wide' }, url),
  );
}
