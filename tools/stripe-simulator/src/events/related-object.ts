import { routes } from '../routes.js';
import { type RelatedObject } from './event.js';

let paths: ReadonlyMap<string, string> | undefined;

/** Where a thin event says that its object can be fetched; null when the API has no route for it. */
export function relatedObject(object: object): RelatedObject | null {
  const { object: type = '', id } = object as { object?: string; id?: string };
  paths ??= pathsByType();
  const path = paths.get(type);
  return path === undefined || id === undefined ? null : { id, type, url: path.replace('{id}', encodeURIComponent(id)) };
}

function pathsByType(): ReadonlyMap<string, string> {
  const found = routes.filter(({ operation }) => /^GET [^{]+\{id\}$/.test(operation));
  return new Map(found.map(({ operation, returns }) => [returns, operation.slice('GET '.length)]));
}
