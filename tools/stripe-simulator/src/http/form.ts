import { invalidParam } from './errors.js';

/** A decoded form before types are known: text, or a map of the same (arrays are maps with index keys). No prototype. */
export type FormValue = string | FormMap;
export interface FormMap {
  [key: string]: FormValue;
}

const MAX_DEPTH = 12;
const MAX_PARAMETERS = 5_000;

export function emptyForm(): FormMap {
  return Object.create(null) as FormMap;
}

/**
 * Decodes `a=1&b[c]=2&d[]=3&e[0]=4`, brackets percent-encoded or not. The last of repeated scalars wins.
 * Refuses (400) broken percent-encoding, unbalanced brackets, `a` used both as text and as map, and absurd sizes.
 */
export function decodeForm(text: string): FormMap {
  const form = emptyForm();
  if (text === '') return form;
  const pairs = text.split('&');
  if (pairs.length > MAX_PARAMETERS) throw invalidParam(`Too many parameters: at most ${MAX_PARAMETERS} are accepted.`);
  for (const pair of pairs) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const key = decodeText(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? '' : decodeText(pair.slice(equals + 1));
    assign(form, key, value);
  }
  return form;
}

function assign(form: FormMap, key: string, value: string): void {
  const bracket = key.indexOf('[');
  if (bracket === -1) {
    if (typeof form[key] === 'object') throw invalidParam(`Invalid object: ${key} is given both as a value and as a map`, key);
    form[key] = value;
    return;
  }
  const path = [key.slice(0, bracket), ...segments(key, bracket)];
  if (path.length > MAX_DEPTH) throw invalidParam(`Parameter is nested too deeply: ${key.slice(0, 100)}`);
  let at = form;
  for (let depth = 0; depth < path.length - 1; depth += 1) {
    const name = nameFor(at, path[depth] as string);
    const next = at[name] ?? emptyForm();
    if (typeof next === 'string') throw invalidParam(`Invalid object: ${key} is given both as a value and as a map`, key);
    at[name] = next;
    at = next;
  }
  at[nameFor(at, path[path.length - 1] as string)] = value;
}

function segments(key: string, firstBracket: number): string[] {
  const found: string[] = [];
  let at = firstBracket;
  while (at < key.length) {
    const close = key.indexOf(']', at);
    if (key[at] !== '[' || close === -1) throw invalidParam(`Invalid parameter name: ${key.slice(0, 100)}`);
    found.push(key.slice(at + 1, close));
    at = close + 1;
  }
  return found;
}

/** `[]` means the next free index. */
function nameFor(map: FormMap, segment: string): string {
  return segment === '' ? String(Object.keys(map).length) : segment;
}

function decodeText(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    throw invalidParam('Invalid percent-encoding in the request parameters.');
  }
}
