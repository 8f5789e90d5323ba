import { ENDPOINTS } from '../endpoints.js';

const PAGES = ['/openapi.json', '/docs', '/healthz', '/readyz', '/metrics', '/r/{token}', '/verify/{token}'];

const ROUTES = [...ENDPOINTS.map(({ method, path }) => ({ method, path })), ...PAGES.map((path) => ({ method: 'GET', path }))].map(
  ({ method, path }) => ({
    method,
    pattern: new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
  }),
);

/** The methods that a path offers; none when there is no such path. */
export function allowedMethods(path: string): string[] {
  const methods = ROUTES.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
  return methods.includes('GET') ? [...new Set([...methods, 'HEAD'])] : [...new Set(methods)];
}
