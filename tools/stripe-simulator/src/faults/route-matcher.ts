export type RouteMatcher = (method: string, path: string) => boolean;

/**
 * Understands `POST /v1/payment_intents/:id/confirm`, `{id}` for `:id`, a route without a method, a method alone,
 * and `*` for any rest of the path. No route matches everything.
 */
export function routeMatcher(route: string | undefined): RouteMatcher {
  if (route === undefined || route === '*') return () => true;
  const [first = '', second] = route.trim().split(/\s+/);
  const method = second !== undefined || !first.startsWith('/') ? first.toUpperCase() : '*';
  const path = second ?? (first.startsWith('/') ? first : '*');
  const pattern = new RegExp(
    `^${path
      .split(/(:\w+|\{\w+\}|\*)/)
      .map(part)
      .join('')}$`,
  );
  return (askedMethod, askedPath) => (method === '*' || method === askedMethod) && pattern.test(askedPath);
}

function part(text: string): string {
  if (text === '*') return '.*';
  return /^(:\w+|\{\w+\})$/.test(text) ? '[^/]+' : text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
