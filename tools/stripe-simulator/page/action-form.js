/* global FormData */
import { call } from './api.js';
import { h, toast } from './dom.js';

/** The form of one action. `onDone` is called after it worked; what went wrong is said inside the form. */
export function actionForm(action, object, onDone) {
  const fields = typeof action.fields === 'function' ? action.fields(object) : action.fields;
  const problem = h('p', { class: 'problem', role: 'alert', hidden: true });
  const form = h(
    'form',
    {
      class: 'form',
      'aria-label': action.label,
      onsubmit: (event) => {
        event.preventDefault();
        void submit(action, object, form, problem, onDone);
      },
    },
    action.note === undefined ? null : h('p', { class: 'hint' }, action.note),
    ...fields.map(field),
    h(
      'div',
      { class: 'row' },
      h('label', { class: 'check' }, h('input', { type: 'checkbox', name: 'silent' }), 'without an event'),
      h('button', { class: 'primary' }, action.label.replace('…', '')),
    ),
    problem,
  );
  return form;
}

function field({ name, label, type = 'text', options, value, placeholder }) {
  return h('label', { class: 'field' }, h('span', {}, label), input({ name, type, options, value, placeholder }));
}

function input({ name, type, options, value, placeholder }) {
  if (options !== undefined)
    return h('select', { name }, ...options.map(([key, text = key.replaceAll('_', ' ')]) => h('option', { value: key }, text)));
  if (type === 'json') return h('textarea', { name, spellcheck: 'false' }, value ?? '');
  return h('input', { name, type, value: value ?? null, placeholder: placeholder ?? null, min: type === 'number' ? '1' : null });
}

async function submit(action, object, form, problem, onDone) {
  const { silent, ...values } = Object.fromEntries(new FormData(form));
  problem.hidden = true;
  try {
    const result = await call('POST', `/__dashboard/${action.name}`, { ...action.body(object, values), ...(silent && { silent: true }) });
    toast(typeof action.done === 'function' ? action.done(result) : action.done);
    onDone();
  } catch (error) {
    problem.textContent = error instanceof SyntaxError ? 'That is not valid JSON.' : error.message;
    problem.hidden = false;
  }
}
