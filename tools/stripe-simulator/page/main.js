/* global document, EventSource, history, location, URLSearchParams */
import { showActivity } from './activity.js';
import { showClock, startClock } from './clock.js';
import { openDetail, refreshDetail, startDetail } from './detail.js';
import { byId } from './dom.js';
import { showFaults, startFaults } from './faults.js';
import { clearObjects, showKinds, showObjects, startObjects } from './objects.js';

/** What is looked at. It is in the address, so that a reload shows the same and a link can be passed on. */
const looked = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
let kind = looked.kind ?? 'paymentIntents';
let search = looked.q ?? '';
let source;

function connect() {
  source?.close();
  source = new EventSource(`/__page/live?${new URLSearchParams({ kind, q: search })}`);
  source.onopen = () => say('live');
  source.onerror = () => say('offline');
  source.onmessage = ({ data }) => show(JSON.parse(data));
}

function say(state) {
  const link = byId('link');
  if (link.textContent === state) return;
  link.textContent = state;
  link.className = `link ${state}`;
}

function show(view) {
  showClock(view.clock);
  showKinds(view.kinds, kind);
  showObjects(view, kind, search);
  showActivity(view);
  showFaults(view);
  refreshDetail();
}

function look(nextKind, nextSearch) {
  kind = nextKind;
  search = nextSearch;
  history.replaceState(null, '', `#${new URLSearchParams({ kind, ...(search && { q: search }) })}`);
  clearObjects();
  connect();
}

startClock();
startFaults();
startDetail();
startObjects({
  search,
  onKind: (name) => {
    byId('search').value = '';
    look(name, '');
  },
  onSearch: (text) => look(kind, text),
});
document.addEventListener('click', ({ target }) => {
  const id = target.closest?.('[data-open]')?.dataset.open;
  if (id) void openDetail(id);
});
document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) || byId('detail').open) return;
  event.preventDefault();
  byId('search').focus();
});
connect();
