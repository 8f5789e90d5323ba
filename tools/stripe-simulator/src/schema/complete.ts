import { type SchemaNode } from './node.js';
import { schema } from './schema.js';

/**
 * A nested parameter as its object shows it: what the caller left out and may be null becomes null.
 * For example `{city}` becomes an address with all six fields.
 */
export function shownAs(type: string, field: string, value: unknown): object | null {
  const node = schema.objects[type]?.[field];
  if (node === undefined) throw new Error(`Bug: ${type} has no field ${field}`);
  return (complete(value, node) ?? null) as object | null;
}

function complete(value: unknown, node: SchemaNode): unknown {
  if (node.t !== 'object' || typeof value !== 'object' || value === null) return value;
  const whole: Record<string, unknown> = {};
  const given = value as Record<string, unknown>;
  for (const [name, field] of Object.entries(node.fields ?? {})) {
    if (given[name] !== undefined) whole[name] = complete(given[name], field);
    else if (field.null && !field.opt) whole[name] = null;
  }
  return whole;
}
