import { type Fields } from '../schema/node.js';
import { schema } from '../schema/schema.js';
import { type Route } from './route.js';

export interface Found {
  readonly route: Route;
  readonly fields: Fields;
  readonly id: string;
}

interface Step {
  readonly literal: Map<string, Step>;
  any?: Step;
  readonly routes: Map<string, { route: Route; fields: Fields }>;
}

/** Finds the route of a request by walking its path segments; literal segments win over ids. */
export class Router {
  private readonly root = newStep();

  constructor(routes: readonly Route[]) {
    for (const route of routes) this.add(route);
  }

  find(method: string, path: string): Found | undefined {
    let at: Step | undefined = this.root;
    let id = '';
    for (const segment of path.split('/').slice(1)) {
      const literal: Step | undefined = at.literal.get(segment);
      if (literal === undefined && segment !== '') id = safeDecode(segment);
      at = literal ?? (segment === '' ? undefined : at.any);
      if (at === undefined) return undefined;
    }
    const found = at.routes.get(method);
    return found && { ...found, id };
  }

  private add(route: Route): void {
    const [method = '', path = ''] = route.operation.split(' ');
    let at = this.root;
    for (const segment of path.split('/').slice(1)) {
      if (segment.startsWith('{')) at = at.any ??= newStep();
      else {
        const next = at.literal.get(segment) ?? newStep();
        at.literal.set(segment, next);
        at = next;
      }
    }
    const fields = route.fields ?? schema.operations[route.operation];
    if (fields === undefined) throw new Error(`Bug: no parameters known for ${route.operation}`);
    at.routes.set(method, { route, fields });
  }
}

function newStep(): Step {
  return { literal: new Map(), routes: new Map() };
}

function safeDecode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
