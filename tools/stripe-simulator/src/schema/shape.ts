import { type Fields, type SchemaNode } from './node.js';
import { schema } from './schema.js';

const MOST_WORDS = 20;

/**
 * Compares an answer with the API description, recursively: required fields, types, nulls, enums, no extra fields.
 * `returns` is a type or `list<type>`. Gives one line per fault, none when all is well.
 */
export function shapeFaults(value: unknown, returns: string): string[] {
  const [, envelope, listed] = /^(list|search_result)<(.+)>$/.exec(returns) ?? [];
  if (listed === undefined) return checkType(value, returns, returns);
  if (envelope === 'search_result') return checkSearch(value, listed, returns);
  return checkNode(value, { t: 'list', items: { t: 'ref', ref: listed } }, returns);
}

function checkSearch(value: unknown, type: string, path: string): string[] {
  const { next_page: next, ...list } = (isMap(value) ? value : {}) as { next_page?: unknown; object?: string };
  const envelope = expected(
    list.object === 'search_result' && (next === null || typeof next === 'string'),
    path,
    'a page of search results',
  );
  return [...envelope, ...checkList({ ...list, object: 'list' }, { t: 'list', items: { t: 'ref', ref: type } }, path)];
}

/** Checks an event and the object in it. */
export function eventFaults(event: { readonly type: string; readonly data: { readonly object: object } }): string[] {
  const known = schema.event_types.includes(event.type) ? [] : [`event type ${event.type} does not exist`];
  const subject = event.data.object as { object?: string };
  return [...known, ...checkType(event, 'event', 'event'), ...checkType(subject, subject.object ?? '?', `event ${event.type}`)];
}

function checkType(value: unknown, type: string, path: string): string[] {
  const given = value as { object?: string; deleted?: boolean } | null;
  const name = given?.deleted === true && !type.startsWith('deleted_') ? `deleted_${type}` : type;
  const fields = schema.objects[name];
  if (fields === undefined) return [`${path}: type ${name} is not described`];
  return checkFields(value, fields, path);
}

function checkFields(value: unknown, fields: Fields, path: string): string[] {
  if (!isMap(value)) return [`${path}: not an object`];
  const extra = Object.keys(value).filter((name) => !Object.hasOwn(fields, name));
  const faults = extra.map((name) => `${path}.${name}: not in the description`);
  for (const [name, node] of Object.entries(fields)) {
    const field = value[name];
    if (field !== undefined) faults.push(...checkNode(field, node, `${path}.${name}`));
    else if (node.opt === undefined && node.t !== 'absent') faults.push(`${path}.${name}: missing`);
  }
  return faults;
}

/** The same for one value and the node that describes it; `path` says where it is. */
export function checkNode(value: unknown, node: SchemaNode, path: string): string[] {
  if (value === null) return node.null ? [] : [`${path}: must not be null`];
  switch (node.t) {
    case 'string':
    case 'decimal':
      return expected(typeof value === 'string', path, 'text');
    case 'number':
    case 'int64':
      return expected(typeof value === 'number' && Number.isFinite(value), path, 'a number');
    case 'boolean':
      return expected(typeof value === 'boolean', path, 'true or false');
    case 'enum':
      return expected(node.enum?.includes(value as string) ?? false, path, `one of ${wordsOf(node)} (not ${String(value)})`);
    case 'array':
      return Array.isArray(value)
        ? value.flatMap((item, at) => checkNode(item, node.items ?? { t: 'any' }, `${path}[${at}]`))
        : [`${path}: not an array`];
    case 'list':
      return checkList(value, node, path);
    case 'metadata':
      return expected(isMap(value) && Object.values(value).every((text) => typeof text === 'string'), path, 'a map of text');
    case 'map':
      return expected(isMap(value), path, 'a map');
    case 'object':
      return node.fields === undefined || Object.keys(node.fields).length === 0
        ? expected(isMap(value), path, 'an object')
        : checkFields(value, node.fields, path);
    case 'ref':
      return checkType(value, node.ref ?? '?', path);
    case 'expandable':
      return typeof value === 'string' ? [] : checkExpanded(value, node.to ?? [], path);
    case 'anyOf':
      return checkAnyOf(value, node, path);
    case 'absent':
      return [`${path}: exists only on a deleted stub`];
    default:
      return [];
  }
}

function checkList(value: unknown, node: SchemaNode, path: string): string[] {
  if (!isMap(value)) return [`${path}: not a list`];
  const { object, data, has_more: hasMore, url, ...rest } = value;
  const envelope =
    object === 'list' && Array.isArray(data) && typeof hasMore === 'boolean' && typeof url === 'string' && Object.keys(rest).length === 0;
  if (!envelope) return [`${path}: not a list envelope`];
  return (data as unknown[]).flatMap((item, at) => checkNode(item, node.items ?? { t: 'any' }, `${path}[${at}]`));
}

function checkExpanded(value: unknown, types: readonly string[], path: string): string[] {
  const type = (value as { object?: string }).object ?? '?';
  return types.includes(type) ? checkType(value, type, path) : [`${path}: ${type} is none of ${types.join(', ')}`];
}

function checkAnyOf(value: unknown, node: SchemaNode, path: string): string[] {
  const tries = (node.of ?? []).map((option) => checkNode(value, option, path));
  const shortest = tries.sort((a, b) => a.length - b.length)[0];
  return shortest ?? [];
}

function expected(good: boolean, path: string, wanted: string): string[] {
  return good ? [] : [`${path}: must be ${wanted}`];
}

function wordsOf({ enum: words = [] }: SchemaNode): string {
  return words.length > MOST_WORDS ? `${words.slice(0, MOST_WORDS).join(', ')}, …` : words.join(', ');
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
