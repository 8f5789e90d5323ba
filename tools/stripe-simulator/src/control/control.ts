import { type World } from '../world.js';
import { clockControl } from './clock.js';
import { dashboardControl } from './dashboard.js';
import { faultControl } from './faults.js';
import { truth } from './truth.js';

export interface ControlRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** Parsed JSON body, or undefined. */
  readonly body: unknown;
}

export interface ControlAnswer {
  readonly status: number;
  readonly value: unknown;
}

export interface Controls {
  readonly world: World;
  /** Forgets all state but the endpoints that were given at start. */
  readonly reset: () => void;
  /** Closes the listener for a time: clients see a refused connection. */
  readonly refuse: (durationMs: number) => void;
}

/** The routes beside the API: truth, faults, clock, reset and the dashboard. */
export function control(controls: Controls, request: ControlRequest): ControlAnswer {
  const { method, path } = request;
  if (path === '/__truth' && method === 'GET') return { status: 200, value: truth(controls.world, request.query.get('only')?.split(',')) };
  if (path === '/__faults') return faultControl(controls, request);
  if (path === '/__clock') return clockControl(controls.world, request);
  if (path === '/__reset' && method === 'POST') {
    controls.reset();
    return { status: 200, value: { reset: true } };
  }
  if (path.startsWith('/__dashboard/') && method === 'POST')
    return dashboardControl(controls.world, path.slice('/__dashboard/'.length), request.body);
  return { status: 404, value: { error: `No control route ${method} ${path}` } };
}
