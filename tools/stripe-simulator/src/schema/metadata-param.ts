import { invalidParam } from '../http/errors.js';
import { type FormMap } from '../http/form.js';

const MAX_KEYS = 50;
const MAX_KEY_LENGTH = 40;
const MAX_VALUE_LENGTH = 500;

export type Metadata = Readonly<Record<string, string>>;

/** Reads `metadata[...]`: at most 50 keys of 40 characters without brackets, values of 500 characters; `''` asks to remove the key. */
export function metadataParam(form: FormMap, path: string): Metadata {
  const keys = Object.keys(form);
  if (keys.length > MAX_KEYS) throw invalidParam(`Metadata can have at most ${MAX_KEYS} keys, but you passed in ${keys.length}.`, path);
  const read: [string, string][] = [];
  for (const key of keys) {
    const value = form[key];
    const at = `${path}[${key}]`;
    if (typeof value !== 'string') throw invalidParam('Metadata values must be strings, but you passed in a hash.', at);
    if (key.length > MAX_KEY_LENGTH || /[[\]]/.test(key)) {
      throw invalidParam(
        `Metadata keys can have up to ${MAX_KEY_LENGTH} characters without square brackets. Invalid key: ${key.slice(0, 100)}`,
        at,
      );
    }
    if (value.length > MAX_VALUE_LENGTH) {
      const length = `you passed in a value that is ${value.length} characters`;
      throw invalidParam(
        `Metadata values can have up to ${MAX_VALUE_LENGTH} characters, but ${length}. Invalid value: ${value.slice(0, 50)}`,
        at,
      );
    }
    read.push([key, value]);
  }
  return Object.fromEntries(read);
}

/** Merges per key: `undefined` leaves all, `null` removes all, an empty value removes its key. Refuses more than 50 keys in all. */
export function mergeMetadata(before: Metadata, change: Metadata | null | undefined): Metadata {
  if (change === undefined) return before;
  if (change === null) return {};
  const merged = Object.fromEntries(Object.entries({ ...before, ...change }).filter(([, value]) => value !== ''));
  const size = Object.keys(merged).length;
  if (size > MAX_KEYS) throw invalidParam(`Metadata can have at most ${MAX_KEYS} keys, but this would make ${size}.`, 'metadata');
  return merged;
}
