/* global document */
import { call, tell } from './api.js';
import { byId, h, toast } from './dom.js';
import { span } from './format.js';

const STEPS = [
  ['+1 h', 3_600],
  ['+1 day', 86_400],
  ['+7 days', 7 * 86_400],
  ['+30 days', 30 * 86_400],
];
let offsetMs = 0;

const advance = (seconds) =>
  tell('POST', '/__clock', { advance_seconds: seconds }, ({ now }) => `It is now ${new Date(now).toLocaleString()}.`);

export function startClock() {
  byId('advance').append(...STEPS.map(([label, seconds]) => h('button', { type: 'button', onclick: () => advance(seconds) }, label)));
  byId('advance-by').addEventListener('submit', (event) => {
    event.preventDefault();
    const { amount, unit } = event.target.elements;
    void advance(Number(amount.value) * Number(unit.value));
  });
  byId('reset').addEventListener('click', askReset);
  setInterval(tick, 250);
}

/** `offset_seconds` is how far virtual time is ahead; the seconds themselves are counted here. */
export function showClock({ now, offset_seconds: ahead }) {
  offsetMs = new Date(now).getTime() - Date.now();
  byId('offset').textContent = ahead > 0 ? `${span(ahead)} ahead` : 'as wall clock';
  tick();
}

function tick() {
  const now = new Date(Date.now() + offsetMs);
  const shown = now.toLocaleString([], {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  const time = byId('now');
  if (time.textContent !== shown) time.textContent = shown;
  time.dateTime = now.toISOString();
}

function askReset() {
  const close = () => dialog.remove();
  const dialog = h(
    'dialog',
    { class: 'card', 'aria-label': 'Reset', onclose: close },
    h(
      'div',
      { class: 'stack' },
      h('h2', {}, 'Reset the simulator?'),
      h('p', {}, 'All objects, events, faults and the clock are forgotten. Endpoints that were given at the start stay.'),
      h(
        'div',
        { class: 'inline' },
        h('button', { onclick: () => dialog.close() }, 'Keep everything'),
        h('button', { class: 'danger', onclick: () => reset(dialog) }, 'Reset'),
      ),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
}

async function reset(dialog) {
  await call('POST', '/__reset');
  dialog.close();
  toast('Everything is forgotten.');
}
