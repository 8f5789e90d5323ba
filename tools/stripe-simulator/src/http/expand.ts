import { type Fields, type SchemaNode } from '../schema/node.js';
import { schema } from '../schema/schema.js';
import { invalidParam } from './errors.js';

const MAX_LEVELS = 4;

/** Finds the object behind an id, or builds an includable sub-list (`refunds` of a charge). */
export interface Expander {
  find(types: readonly string[], id: string): object | undefined;
  include(owner: object, field: string): object | undefined;
}

interface Tree {
  [field: string]: Tree;
}

/** The `expand[]` of a request, checked against the type that the operation returns (`charge`, `list<charge>`). */
export function expansionOf(paths: readonly string[] | undefined, returns: string): Tree | undefined {
  if (paths === undefined || paths.length === 0) return undefined;
  const tree = Object.create(null) as Tree;
  const listed = /^list<(.+)>$/.exec(returns)?.[1];
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

/** A copy of the value with the named ids replaced by objects. */
export function expand(value: object, tree: Tree, expander: Expander): object {
  if (Array.isArray(value)) return value.map((item: object) => expand(item, tree, expander));
  const copy = { ...value } as Record<string, unknown>;
  for (const [name, below] of Object.entries(tree)) {
    const found = expandField(value, name, copy[name], expander);
    copy[name] = typeof found === 'object' && found !== null ? expand(found, below, expander) : found;
  }
  return copy;
}

function expandField(owner: object, name: string, value: unknown, expander: Expander): unknown {
  if (typeof value === 'string') {
    const node = typeOf(owner)?.[name];
    return (node && expander.find(targetsOf(node), value)) ?? value;
  }
  return value === undefined ? expander.include(owner, name) : value;
}

function typeOf(value: object): Fields | undefined {
  const { object, deleted } = value as { object?: string; deleted?: boolean };
  return object === undefined ? undefined : schema.objects[deleted ? `deleted_${object}` : object];
}

function checkPath(path: string, names: readonly string[], fields: Fields | undefined): void {
  const [name = '', ...rest] = names;
  if (fields === undefined) return;
  const node = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (node === undefined) throw notExpandable(path);
  if (node.t === 'object' && rest.length > 0) return checkPath(path, rest, node.fields);
  if (node.t === 'list' && node.opt)
    return rest.length === 0 ? undefined : checkPath(path, rest[0] === 'data' ? rest.slice(1) : rest, undefined);
  const targets = targetsOf(node);
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
