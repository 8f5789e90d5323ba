import { randomInt } from 'node:crypto';
import { type Server, createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { startAutomaticActions } from './automatic.js';
import { type Controls } from './control/control.js';
import { serveControl } from './control/serve.js';
import { type ActiveFault, type FaultSpec } from './faults/fault.js';
import { Api } from './http/api.js';
import { API_VERSION } from './schema/schema.js';
import { DEFAULT_SETTINGS, type Settings } from './settings.js';
import { StateFile } from './state/state-file.js';
import { type Endpoint } from './webhooks/endpoint.js';
import { registerEndpoint } from './webhooks/routes.js';
import { World } from './world.js';

/** A webhook endpoint that exists from the start; `secrets` sign every delivery, one signature each. */
export interface StartEndpoint {
  readonly url: string;
  readonly secrets: readonly string[];
  readonly enabledEvents?: readonly string[];
  readonly apiVersion?: string;
}

export type Logger = (event: string, details: Record<string, unknown>) => void;

export interface SimulatorOptions extends Partial<Settings> {
  /** 0, the default, takes a free port. */
  readonly port?: number;
  readonly host?: string;
  readonly webhooks?: readonly StartEndpoint[];
  /** JSON file that carries all state over a restart. */
  readonly stateFile?: string;
  readonly logger?: Logger;
}

export interface Simulator {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** All state, for tests in the same process. */
  readonly world: World;
  addFault(spec: FaultSpec): ActiveFault;
  clearFaults(): void;
  advanceClock(seconds: number): void;
  reset(): void;
  /** Closes the listener for a time; the same port answers again afterwards. */
  refuse(durationMs: number): void;
  /** Writes the state file if there is one, drops every connection and stops. */
  close(): Promise<void>;
}

/** Starts a simulated Stripe account and resolves when it listens. Rejects when the port is taken. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { port: wantedPort = 0, host = '127.0.0.1', webhooks = [], stateFile, logger = () => undefined } = options;
  const world = new World({ ...DEFAULT_SETTINGS, seed: randomInt(2 ** 32), ...definedOnly(options) });
  startAutomaticActions(world);
  const state = stateFile === undefined ? undefined : new StateFile(stateFile, world);
  const restored = state?.load() ?? false;
  const fixed = ensureEndpoints(world, webhooks);
  const server = createServer({ keepAliveTimeout: 60_000 });
  const controls: Controls = {
    world,
    reset: () => world.reset(({ id }: Endpoint) => fixed.has(id)),
    refuse: (durationMs) => refuseFor(server, durationMs),
  };
  const api = new Api(world);
  server.on('request', (request, response) => {
    const served = /^\/(__|healthz|$)/.test(request.url ?? '') ? serveControl(controls, request, response) : api.serve(request, response);
    served.catch((error: unknown) => {
      logger('request_failed', { method: request.method, url: request.url, error: String(error) });
      if (!response.headersSent) response.writeHead(500, { 'Content-Type': 'application/json' });
      response.end('{"error":{"type":"api_error","message":"The simulator failed; this is a bug in it."}}');
    });
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  await listen(server, wantedPort, host);
  const { port } = server.address() as AddressInfo;
  world.baseUrl = `http://${host}:${port}`;
  state?.start();
  world.deliveries.resume();
  logger('listening', { url: world.baseUrl, restored });
  return {
    url: world.baseUrl,
    host,
    port,
    world,
    addFault: (spec) => world.faults.add(spec),
    clearFaults: () => world.faults.clear(),
    advanceClock: (seconds) => {
      world.clock.advance(seconds);
      world.scheduler.runDue();
    },
    reset: controls.reset,
    refuse: controls.refuse,
    close: async () => {
      state?.stop();
      world.scheduler.clear();
      world.deliveries.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };

  function refuseFor(listener: Server, durationMs: number): void {
    setImmediate(() => {
      listener.close(() => setTimeout(() => void listen(listener, port, host), durationMs));
      listener.closeAllConnections();
    });
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, 1024, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Adds the endpoints of the options unless a restored state has them already; their secrets are the current ones. */
function ensureEndpoints(world: World, wanted: readonly StartEndpoint[]): ReadonlySet<string> {
  const ids = wanted.map(({ url, secrets, enabledEvents = ['*'], apiVersion = API_VERSION }) => {
    const known = world.endpoints.all().find((endpoint) => endpoint.url === url);
    if (known !== undefined) return world.endpoints.replace({ ...known, secrets, status: 'enabled' }).id;
    return registerEndpoint(world, { url, secrets, enabled_events: enabledEvents, api_version: apiVersion }).id;
  });
  return new Set(ids);
}

function definedOnly(options: SimulatorOptions): Partial<Settings> {
  const names = ['seed', ...Object.keys(DEFAULT_SETTINGS)] as (keyof Settings)[];
  return Object.fromEntries(names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]));
}
