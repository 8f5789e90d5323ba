import { shapeFaults } from '../schema/shape.js';

/**
 * Compares an answer of v2 with the API description, as `shapeFaults` does for v1. Of events the description has only what all share:
 * `related_object` and `data` are left to the types of each.
 */
export function v2ShapeFaults(value: unknown, returns: string): string[] {
  const listed = /^v2list<(.+)>$/.exec(returns)?.[1];
  if (listed !== undefined) return pageFaults(value, listed, returns);
  if (returns === 'v2.deleted_object') return names(value).join() === 'id,object' ? [] : [`${returns}: must be id and object`];
  if (returns !== 'v2.core.event') return shapeFaults(value, returns);
  const { related_object: related, data: _data, ...base } = value as Record<string, unknown>;
  const named = related === null || names(related).sort().join() === 'id,type,url';
  return [...(named ? [] : [`${returns}.related_object: must be id, type and url`]), ...shapeFaults(base, returns)];
}

function pageFaults(value: unknown, listed: string, path: string): string[] {
  const { data, next_page_url: next, previous_page_url: previous, ...rest } = value as Record<string, unknown>;
  const urls = [next, previous].every((url) => url === null || typeof url === 'string');
  if (!Array.isArray(data) || !urls || Object.keys(rest).length > 0) return [`${path}: not a page of v2`];
  return data.flatMap((item) => v2ShapeFaults(item, listed));
}

function names(value: unknown): string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}
