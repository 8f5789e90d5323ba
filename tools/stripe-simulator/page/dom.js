/* global document */

/**
 * An element with attributes and children. Text goes in as text nodes only, so nothing from the data is ever read as HTML.
 * Attributes that begin with `on` are listeners; null and false ones are left out.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const byId = (id) => document.getElementById(id);

/**
 * Makes the children of `parent` show `items`. An element is made anew only when its item changed, so focus and selection stay where
 * they are; new ones flash for a moment after the first time.
 */
export function keyed(parent, items, keyOf, render) {
  const before = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const first = parent.dataset.filled === undefined;
  parent.dataset.filled = 'yes';
  const wanted = items.map((item) => {
    const key = String(keyOf(item));
    const print = JSON.stringify(item);
    const known = before.get(key);
    if (known?.dataset.print === print) return known;
    const made = render(item);
    made.dataset.key = key;
    made.dataset.print = print;
    if (known === undefined && !first) made.classList.add('fresh');
    if (known?.contains(document.activeElement)) return replaceKeepingFocus(known, made);
    return made;
  });
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  wanted.forEach((child, at) => {
    if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
  });
}

function replaceKeepingFocus(known, made) {
  const at = [...known.querySelectorAll('button, a, input')].indexOf(document.activeElement);
  known.replaceWith(made);
  made.querySelectorAll('button, a, input')[at]?.focus();
  return made;
}

/** Forgets what a list showed, so that the next items do not count as new. */
export function emptied(parent) {
  parent.replaceChildren();
  delete parent.dataset.filled;
}

/** A short message that goes away by itself. */
export function toast(message, bad = false) {
  const shown = h('div', { class: bad ? 'toast bad' : 'toast' }, message);
  byId('toasts').append(shown);
  setTimeout(() => shown.remove(), bad ? 9_000 : 4_000);
}
