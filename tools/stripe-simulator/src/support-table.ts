import { type Route } from './http/route.js';

/** The supported operations as a Markdown table, one line per path. */
export function supportTable(routes: readonly Route[]): string {
  const methods = new Map<string, string[]>();
  for (const { operation } of routes) {
    const [method = '', path = ''] = operation.split(' ');
    methods.set(path, [...(methods.get(path) ?? []), method]);
  }
  const lines = [...methods].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, list]) => `| \`${path}\` | ${list.sort().join(', ')} |`);
  return ['| Path | Methods |', '| --- | --- |', ...lines].join('\n');
}
