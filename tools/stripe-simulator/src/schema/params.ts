import { invalidParam } from '../http/errors.js';
import { type FormMap, type FormValue } from '../http/form.js';
import { metadataParam } from './metadata-param.js';
import { type Fields, type SchemaNode } from './node.js';

/** Typed parameters: integers as numbers, arrays as arrays, `null` where the caller unset a value. */
export type Params = Readonly<Record<string, unknown>>;

/**
 * Free-text parameters may be emptied although the description does not say so; other parameters only where it does.
 */
const FREE_TEXT =
  /^(description|email|name|phone|receipt_email|statement_descriptor|statement_descriptor_suffix|city|country|line1|line2|postal_code|state|carrier|tracking_number|footer)$/;

/**
 * Checks a decoded form against the parameters of one operation. Unknown, missing, wrongly typed parameters and values outside an
 * enum are refused with the offending path in `param`.
 */
export function readParams(form: FormMap, fields: Fields): Params {
  return readFields(form, fields, '');
}

function readFields(form: FormMap, fields: Fields, parent: string): Params {
  const unknown = Object.keys(form).filter((name) => !Object.hasOwn(fields, name));
  if (unknown.length > 0) throw unknownParam(unknown.map((name) => pathOf(parent, name)));
  const read: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) {
    const node = fields[name] as SchemaNode;
    const value = form[name];
    const path = pathOf(parent, name);
    if (value !== undefined) read[name] = readValue(value, node, path, name);
    else if (node.opt === undefined) throw invalidParam(`Missing required param: ${path}.`, path, 'parameter_missing');
  }
  return read;
}

function readValue(value: FormValue, node: SchemaNode, path: string, name: string): unknown {
  if (value === '') return readEmpty(node, path, name);
  switch (node.t) {
    case 'string':
      return readText(value, path);
    case 'number':
    case 'int64':
      return readInteger(readText(value, path, 'integer'), path);
    case 'decimal':
      return readText(value, path);
    case 'boolean':
      return readBoolean(readText(value, path, 'boolean'), path);
    case 'enum':
      return readEnum(readText(value, path), node, path);
    case 'array':
      return readArray(value, node, path);
    case 'map':
      return { ...readMap(value, path) };
    case 'metadata':
      return metadataParam(readMap(value, path), path);
    case 'object':
      return readFields(readMap(value, path), node.fields ?? {}, path);
    case 'range':
      return readFields(readMap(value, path), RANGE, path);
    case 'anyOf':
      return readAnyOf(value, node, path, name);
    default:
      return value;
  }
}

const RANGE: Fields = Object.fromEntries(['gt', 'gte', 'lt', 'lte'].map((name) => [name, { t: 'number', opt: true }]));

function readEmpty(node: SchemaNode, path: string, name: string): unknown {
  if (node.emptyOk || node.t === 'metadata' || (node.t === 'string' && node.opt && FREE_TEXT.test(name))) return null;
  if (node.t === 'array') return [];
  throw invalidParam(
    `You passed an empty string for '${path}'. We assume empty values are an attempt to unset a parameter; however '${path}' cannot be unset. You should remove '${path}' from your request or supply a non-empty value.`,
    path,
    'parameter_invalid_empty',
  );
}

function readText(value: FormValue, path: string, wanted = 'string'): string {
  if (typeof value === 'string') return value;
  throw invalidParam(
    `Invalid ${wanted}: ${JSON.stringify(value).slice(0, 100)}`,
    path,
    wanted === 'integer' ? 'parameter_invalid_integer' : undefined,
  );
}

function readInteger(text: string, path: string): number {
  if (!/^-?\d{1,20}$/.test(text)) throw invalidParam(`Invalid integer: ${text.slice(0, 100)}`, path, 'parameter_invalid_integer');
  return Number(text);
}

function readBoolean(text: string, path: string): boolean {
  if (text === 'true') return true;
  if (text === 'false') return false;
  throw invalidParam(`Invalid boolean: ${text.slice(0, 100)}`, path);
}

function readEnum(text: string, node: SchemaNode, path: string): string {
  const allowed = node.enum ?? [];
  if (allowed.some((value) => String(value) === text)) return text;
  const shown = allowed.length === 1 ? String(allowed[0]) : `one of ${allowed.slice(0, -1).join(', ')}, or ${String(allowed.at(-1))}`;
  throw invalidParam(`Invalid ${path}: must be ${shown}`, path);
}

function readMap(value: FormValue, path: string): FormMap {
  if (typeof value === 'object') return value;
  throw invalidParam(`Invalid object`, path);
}

function readArray(value: FormValue, node: SchemaNode, path: string): unknown[] {
  if (typeof value === 'string') throw invalidParam('Invalid array', path);
  const keys = Object.keys(value);
  if (!keys.every((key) => /^\d{1,6}$/.test(key))) throw invalidParam('Invalid array', path);
  const item = node.items ?? { t: 'string' };
  return keys.sort((a, b) => Number(a) - Number(b)).map((key) => readValue(value[key] as FormValue, item, pathOf(path, key), key));
}

/** The first alternative that takes the value; the refusal of the last one that has its shape. */
function readAnyOf(value: FormValue, node: SchemaNode, path: string, name: string): unknown {
  const options = (node.of ?? []).filter((option) => MAPS.has(option.t) === (typeof value === 'object'));
  let refusal: unknown = invalidParam(`Invalid ${typeof value === 'object' ? 'string' : 'object'}`, path);
  for (const option of options) {
    try {
      return readValue(value, option, path, name);
    } catch (error) {
      refusal = error;
    }
  }
  throw refusal;
}

const MAPS = new Set(['object', 'range', 'map', 'metadata', 'array']);

function unknownParam(paths: readonly string[]): Error {
  const message = `Received unknown parameter${paths.length > 1 ? 's' : ''}: ${paths.join(', ').slice(0, 500)}`;
  return invalidParam(message, paths[0], 'parameter_unknown');
}

function pathOf(parent: string, name: string): string {
  return parent === '' ? name : `${parent}[${name}]`;
}
