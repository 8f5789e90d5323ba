import { byId, emptied, h, keyed } from './dom.js';
import { badge, httpBadge, when } from './format.js';

const TABS = [
  { name: 'requests', label: 'Requests', row: requestRow, empty: 'No requests yet.' },
  {
    name: 'deliveries',
    label: 'Deliveries',
    row: deliveryRow,
    empty: 'No deliveries yet. Register a webhook endpoint, or run: stripe listen',
  },
  { name: 'events', label: 'Events', row: eventRow, empty: 'No events yet.' },
];
let chosen = TABS[0];
let latest;

export function showActivity(view) {
  if (latest === undefined) makeTabs();
  latest = view;
  const items = view[chosen.name];
  keyed(byId('feed'), items.length > 0 ? items : [{ id: 'none' }], keyOf, items.length > 0 ? chosen.row : nothing);
}

const keyOf = ({ id, attempt }) => `${id} ${attempt ?? ''}`;
const nothing = () => h('li', {}, h('span', { class: 'only' }, chosen.empty));

/** Tabs as the ARIA practices have them: one stop for the tab key, arrows move between them. */
function makeTabs() {
  const list = byId('activity-tabs');
  list.append(
    ...TABS.map((tab) =>
      h('button', { role: 'tab', id: `tab-${tab.name}`, 'aria-controls': 'feed', onclick: () => choose(tab) }, tab.label),
    ),
  );
  list.addEventListener('keydown', ({ key }) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (step !== undefined) choose(TABS[(TABS.indexOf(chosen) + step + TABS.length) % TABS.length], true);
  });
  mark();
}

function choose(tab, focus = false) {
  chosen = tab;
  mark();
  emptied(byId('feed'));
  showActivity(latest);
  if (focus) byId(`tab-${tab.name}`).focus();
}

function mark() {
  for (const tab of TABS) {
    const button = byId(`tab-${tab.name}`);
    button.setAttribute('aria-selected', String(tab === chosen));
    button.tabIndex = tab === chosen ? 0 : -1;
  }
  byId('feed').setAttribute('aria-labelledby', `tab-${chosen.name}`);
}

const faultBadge = (fault) => h('span', { class: 'badge bad' }, `fault ${fault}`);

function requestRow({ method, path, status, fault, at, idempotency_key: key }) {
  return h(
    'li',
    {},
    httpBadge(status),
    h('span', { class: 'what mono', title: path }, `${method} ${path}`),
    h('span', { class: 'when' }, when(Date.parse(at))),
    fault === undefined && key === null
      ? null
      : h('span', { class: 'wide' }, fault === undefined ? null : [faultBadge(fault), ' '], key === null ? '' : `key ${key}`),
  );
}

function deliveryRow({ event, event_type: type, url, attempt, at, result, status, error, fault }) {
  const how = [status === null ? null : `HTTP ${status}`, error, attempt > 1 ? `attempt ${attempt}` : null].filter((text) => text !== null);
  return h(
    'li',
    {},
    badge(result),
    h('button', { class: 'ref what', 'data-open': event, title: type }, type),
    h('span', { class: 'when' }, when(Date.parse(at))),
    h('span', { class: 'wide' }, fault === null ? null : [faultBadge(fault), ' '], [...how, url].join(' · ')),
  );
}

function eventRow({ id, type, created, pending, about }) {
  return h(
    'li',
    {},
    pending > 0 ? badge('pending') : badge('sent', 'good'),
    h('button', { class: 'ref what', 'data-open': id, title: type }, type),
    h('span', { class: 'when' }, when(created * 1000)),
    about === '' ? null : h('span', { class: 'wide' }, h('button', { class: 'ref', 'data-open': about }, about)),
  );
}
