import { tell } from './api.js';
import { byId, h, keyed } from './dom.js';
import { badge } from './format.js';
import { FAULT_HELP, PLACES } from './fault-help.js';

let names;

export function startFaults() {
  byId('clear-faults').addEventListener('click', () => void tell('DELETE', '/__faults', undefined, 'No fault is armed any more.'));
  byId('arm').addEventListener('submit', (event) => {
    event.preventDefault();
    void arm(event.target);
  });
}

export function showFaults({ faults, fault_names: known }) {
  if (names === undefined) {
    names = known;
    makeForm();
  }
  byId('clear-faults').hidden = faults.length === 0;
  keyed(byId('faults'), faults.length > 0 ? faults : [{ id: 'none' }], ({ id }) => id, faults.length > 0 ? row : nothing);
}

const nothing = () => h('li', {}, h('span', { class: 'only' }, 'None armed: everything works as it should.'));

function row({ fault, route, event_type: type, probability, hits, matched, spent }) {
  const where = route ?? type ?? 'everything';
  return h(
    'li',
    {},
    badge(spent ? 'spent' : 'armed', spent ? '' : 'bad'),
    h('span', { class: 'what mono' }, fault),
    h('span', { class: 'when' }, hitsOf(hits, matched)),
    h(
      'span',
      { class: 'wide' },
      [where, probability === undefined ? null : `${probability * 100} %`].filter((text) => text !== null).join(' · '),
    ),
  );
}

/** Of the requests or events that it names, how many it has hit. */
function hitsOf(hits, matched) {
  if (matched === 0) return 'nothing to hit yet';
  return hits === matched ? `hit ${hits}` : `hit ${hits} of ${matched}`;
}

function makeForm() {
  const group = (label, list) => h('optgroup', { label }, ...list.map((name) => h('option', {}, name)));
  const select = h(
    'select',
    { name: 'fault', onchange: explain },
    group('Requests', names.request),
    group('Deliveries', names.delivery),
    group('Later', names.later),
  );
  byId('arm').append(
    h('label', { class: 'field' }, h('span', {}, 'Fault'), select),
    h('p', { id: 'fault-help', class: 'hint', 'aria-live': 'polite' }),
    h(
      'label',
      { class: 'field' },
      h('span', { id: 'where-label' }, 'Requests'),
      h('input', { name: 'where', list: 'places', autocomplete: 'off', spellcheck: 'false' }),
    ),
    h('datalist', { id: 'places' }),
    h(
      'div',
      { class: 'pair' },
      h(
        'label',
        { class: 'field' },
        h('span', {}, 'How often'),
        h('select', { name: 'often' }, ...OFTEN.map(([label, value]) => h('option', { value }, label))),
      ),
      h(
        'label',
        { class: 'field' },
        h('span', {}, 'Milliseconds'),
        h('input', { name: 'ms', type: 'number', step: '1', placeholder: 'default' }),
      ),
    ),
    h('button', { class: 'primary' }, 'Arm fault'),
  );
  explain();
}

const OFTEN = [
  ['the next one', 'next'],
  ['the next three', 'three'],
  ['every one', 'every'],
  ['one in two, by chance', 'half'],
  ['one in ten, by chance', 'tenth'],
];
const COUNTS = { next: {}, three: { times: 3 }, every: { times: 0 }, half: { probability: 0.5 }, tenth: { probability: 0.1 } };

function explain() {
  const { fault } = byId('arm').elements;
  const aboutEvents = names.delivery.includes(fault.value);
  byId('fault-help').textContent = FAULT_HELP[fault.value] ?? '';
  byId('where-label').textContent = aboutEvents ? 'Event type' : 'Route';
  byId('arm').elements.where.placeholder = aboutEvents ? 'any, or charge.*' : 'any, or POST /v1/refunds';
  byId('places').replaceChildren(...(aboutEvents ? PLACES.events : PLACES.routes).map((value) => h('option', { value })));
}

async function arm(form) {
  const { fault, where, often, ms } = form.elements;
  const aboutEvents = names.delivery.includes(fault.value);
  const place = where.value.trim();
  const spec = {
    fault: fault.value,
    ...COUNTS[often.value],
    ...(place !== '' && { [aboutEvents ? 'event_type' : 'route']: place }),
    ...(ms.value !== '' && { ms: Number(ms.value) }),
  };
  await tell('POST', '/__faults', spec, `${fault.value} is armed.`);
}
