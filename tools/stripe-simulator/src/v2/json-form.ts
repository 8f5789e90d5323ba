import { invalidParam } from '../http/errors.js';
import { type FormMap, type FormValue, decodeForm } from '../http/form.js';
import { type Fields, type SchemaNode } from '../schema/node.js';

const MAX_DEPTH = 10;

/**
 * The parameters of a v2 request, its query and its JSON body, as the form that the shared validation reads. JSON has types, so a
 * number where text belongs is refused here. A single query value stands for a list of one.
 */
export function decodeJsonRequest(query: string, body: string, fields: Fields): FormMap {
  const form = decodeForm(query);
  for (const [name, value] of Object.entries(form))
    if (typeof value === 'string' && Object.hasOwn(fields, name) && fields[name]?.t === 'array') form[name] = { 0: value };
  if (body.trim() === '') return form;
  const value = parsed(body);
  if (!isMap(value)) throw invalidParam('The request body must be a JSON object.');
  for (const [name, item] of Object.entries(value))
    form[name] = asForm(item, Object.hasOwn(fields, name) ? fields[name] : undefined, name, 1);
  return form;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    throw invalidParam('The request body is not valid JSON.');
  }
}

function asForm(value: unknown, node: SchemaNode | undefined, path: string, depth: number): FormValue {
  if (depth > MAX_DEPTH) throw invalidParam(`Parameter is nested too deeply: ${path.slice(0, 100)}`);
  if (value === null) return '';
  if (node !== undefined && !fits(value, node.t)) throw invalidParam(`Invalid type for ${path}: must be ${SAID[node.t] ?? node.t}`, path);
  if (typeof value !== 'object') return String(value);
  const form = Object.create(null) as FormMap;
  for (const [name, item] of Object.entries(value))
    form[name] = asForm(item, Array.isArray(value) ? node?.items : childOf(node, name), `${path}.${name}`, depth + 1);
  return form;
}

function childOf(node: SchemaNode | undefined, name: string): SchemaNode | undefined {
  if (node?.t === 'metadata') return { t: 'string' };
  return node?.fields !== undefined && Object.hasOwn(node.fields, name) ? node.fields[name] : undefined;
}

const SAID: Readonly<Record<string, string>> = {
  enum: 'text',
  string: 'text',
  array: 'a list',
  object: 'an object',
  metadata: 'an object',
};

function fits(value: unknown, type: string): boolean {
  switch (type) {
    case 'string':
    case 'enum':
      return typeof value === 'string';
    case 'number':
    case 'int64':
      return typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
    case 'array':
      return Array.isArray(value);
    case 'object':
    case 'metadata':
    case 'map':
      return isMap(value);
    default:
      return true;
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
