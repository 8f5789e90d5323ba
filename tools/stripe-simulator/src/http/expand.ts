import { type Fields, type SchemaNode } from '../schema/node.js';
import { schema } from '../schema/schema.js';
import { invalidParam } from './errors.js';

const MAX_LEVELS = 4;

/** Finds the object behind an id, or builds an includable sub-list (`refunds` of a charge). */
export interface Expander {
  find(types: readonly string[], id: string): object | undefined;
  include(owner: object, field: string): unknown;
}

interface Tree {
  [field: string]: Tree;
}

/** The `expand[]` of a request, checked against the type that the operation returns (`charge`, `list<charge>`). */
export function expansionOf(paths: readonly string[] | undefined, returns: string): Tree | undefined {
  if (paths === undefined || paths.length === 0) return undefined;
  const tree = Object.create(null) as Tree;
  const listed = /^(?:list|search_result)<(.+)>$/.exec(returns)?.[1];
  for (const path of paths) {
    const names = path.split('.');
    if (names.length > MAX_LEVELS + (listed === undefined ? 0 : 1)) {
      throw invalidParam(`You cannot expand more than ${MAX_LEVELS} levels of a property. Property: ${path}`, 'expand');
    }
    if (listed !== undefined && (names[0] !== 'data' || names.length < 2)) throw notExpandable(path);
    const fields = schema.objects[listed ?? returns];
    checkPath(path, listed === undefined ? names : names.slice(1), fields);
    let at = tree;
    for (const name of names) at = at[name] ??= Object.create(null) as Tree;
  }
  return tree;
}

/** A copy of the value with the named ids replaced by objects. `fields` describes a value that does not say its own type. */
export function expand(value: object, tree: Tree, expander: Expander, fields?: Fields): object {
  if (Array.isArray(value)) return value.map((item: object) => expand(item, tree, expander, fields));
  const copy = { ...value } as Record<string, unknown>;
  const described = typeOf(value) ?? fields;
  for (const [name, below] of Object.entries(tree)) {
    const node = described?.[name];
    const found = expandField(value, name, copy[name], node, expander);
    copy[name] = typeof found === 'object' && found !== null ? expand(found, below, expander, node?.fields ?? node?.items?.fields) : found;
  }
  return copy;
}

function expandField(owner: object, name: string, value: unknown, node: SchemaNode | undefined, expander: Expander): unknown {
  const targets = node === undefined ? [] : targetsOf(node.t === 'array' ? (node.items ?? node) : node);
  if (typeof value === 'string') return expander.find(targets, value) ?? value;
  if (Array.isArray(value) && targets.length > 0) {
    return value.map((one: unknown) => (typeof one === 'string' ? (expander.find(targets, one) ?? one) : one));
  }
  return value === undefined ? expander.include(owner, name) : value;
}

function typeOf(value: object): Fields | undefined {
  const { object, deleted } = value as { object?: string; deleted?: boolean };
  return object === undefined ? undefined : schema.objects[deleted ? `deleted_${object}` : object];
}

/** Walks the described fields: through nested objects, lists (`lines.data`) and contained objects (`items.data.price`). */
function checkPath(path: string, names: readonly string[], fields: Fields | undefined): void {
  const [name = '', ...rest] = names;
  if (fields === undefined) return;
  const node = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (node === undefined) throw notExpandable(path);
  const below = within(node, rest);
  if (below !== undefined) return checkPath(path, below.names, below.fields);
  if (rest.length === 0 && isIncludable(node)) return;
  const targets = targetsOf(node.t === 'array' ? (node.items ?? node) : node);
  if (targets.length === 0) throw notExpandable(path);
  if (rest.length === 0) return;
  const known = targets.map((target) => schema.objects[target]);
  if (known.some((target) => target === undefined)) return;
  if (!known.some((target) => target !== undefined && Object.hasOwn(target, rest[0] ?? ''))) throw notExpandable(path);
  checkPath(
    path,
    rest,
    known.find((target) => target !== undefined && Object.hasOwn(target, rest[0] ?? '')),
  );
}

/** What a path goes on with below a field that holds its value in itself. */
function within(node: SchemaNode, rest: readonly string[]): { names: readonly string[]; fields: Fields | undefined } | undefined {
  if (rest.length === 0) return undefined;
  if (node.t === 'object') return { names: rest, fields: node.fields };
  if (node.t === 'array' && node.items?.t === 'object') return { names: rest, fields: node.items.fields };
  if (node.t === 'ref') return { names: rest, fields: schema.objects[node.ref ?? ''] };
  if (node.t !== 'list') return undefined;
  const names = rest[0] === 'data' ? rest.slice(1) : rest;
  return names.length === 0 ? undefined : { names, fields: schema.objects[node.items?.ref ?? ''] };
}

/** Lists, tiers and the like that are left out until they are asked for. */
function isIncludable(node: SchemaNode): boolean {
  return node.t === 'list' || (node.opt === true && ['array', 'object', 'map'].includes(node.t));
}

/** The object types a field may be expanded to; none when it is not expandable. */
function targetsOf(node: SchemaNode): readonly string[] {
  if (node.t === 'expandable') return node.to ?? [];
  if (node.t === 'anyOf' && node.of?.some(({ t }) => t === 'string')) return refsOf(node);
  return [];
}

function refsOf(node: SchemaNode): string[] {
  if (node.t === 'ref') return [node.ref ?? ''];
  return (node.of ?? []).flatMap(refsOf);
}

function notExpandable(path: string): Error {
  return invalidParam(`This property cannot be expanded (${path.slice(0, 200)}).`, 'expand');
}
