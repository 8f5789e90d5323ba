import { type SchemaNode } from './node.js';
import { schema } from './schema.js';

/**
 * A nested parameter as its object shows it: what the caller left out becomes null, or false or an empty list where null may not be.
 * For example `{city}` becomes an address with all six fields.
 */
export function shownAs(type: string, field: string, value: unknown): object | null {
  const node = schema.objects[type]?.[field];
  if (node === undefined) throw new Error(`Bug: ${type} has no field ${field}`);
  return (complete(value, node) ?? null) as object | null;
}

function complete(value: unknown, node: SchemaNode): unknown {
  if (node.t === 'array' && Array.isArray(value)) return value.map((item) => complete(item, node.items ?? { t: 'any' }));
  if (node.t !== 'object' || typeof value !== 'object' || value === null) return value;
  const whole: Record<string, unknown> = {};
  const given = value as Record<string, unknown>;
  for (const [name, field] of Object.entries(node.fields ?? {})) {
    const shown = given[name] === undefined ? absent(field) : complete(given[name], field);
    if (shown !== undefined) whole[name] = shown;
  }
  return whole;
}

/** How a field that must be there shows that nothing was given. */
function absent(field: SchemaNode): unknown {
  if (field.opt) return undefined;
  if (field.null) return null;
  if (field.t === 'array') return [];
  return field.t === 'boolean' ? false : undefined;
}
