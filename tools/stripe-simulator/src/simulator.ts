import { randomInt } from 'node:crypto';
import { type RequestListener } from 'node:http';
import { startAutomaticActions } from './automatic.js';
import { upgradeHandler } from './cli/websocket.js';
import { advanceClock } from './clock/advance.js';
import { type Controls } from './control/control.js';
import { serveControl } from './control/serve.js';
import { type Truth, truth } from './control/truth.js';
import { armFault } from './faults/arm.js';
import { type ActiveFault, type FaultSpec } from './faults/fault.js';
import { Api } from './http/api.js';
import { Listener } from './http/listener.js';
import { Pulse } from './http/pulse.js';
import { DEFAULT_SETTINGS, type Settings } from './settings.js';
import { StateFile } from './state/state-file.js';
import { type FixedEndpoint, ensureEndpoints } from './webhooks/fixed-endpoints.js';
import { World } from './world.js';

export type Logger = (event: string, details: Record<string, unknown>) => void;

export interface SimulatorOptions extends Partial<Settings> {
  /** 0, the default, takes a free port. */
  readonly port?: number;
  /** 127.0.0.1 by default. */
  readonly host?: string;
  /** Endpoints that exist from the start and survive a reset. */
  readonly webhooks?: readonly FixedEndpoint[];
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
  /** What `GET /__truth` answers; `only` picks parts. */
  truth(only?: readonly (keyof Truth)[]): Truth;
  addFault(spec: FaultSpec): ActiveFault;
  clearFaults(): void;
  advanceClock(seconds: number): void;
  reset(): void;
  /** Closes the listener for a time; the same port answers again afterwards. */
  refuse(durationMs: number): void;
  /** Writes the state file if there is one, drops every connection and stops. */
  close(): Promise<void>;
}

/** Starts a simulated Stripe account and resolves when it listens. Rejects when the port is taken or the state file is not one. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { host = '127.0.0.1', webhooks = [], stateFile, logger = () => undefined } = options;
  const world = new World({ ...DEFAULT_SETTINGS, seed: randomInt(2 ** 32), ...settingsOf(options) });
  world.onBug = (where, error) => logger('job_failed', { where, error: error instanceof Error ? error.stack : String(error) });
  if (world.selfCheck) world.selfCheck.onFault = (deviation) => logger('self_check_failed', { deviation });
  startAutomaticActions(world);
  const state = stateFile === undefined ? undefined : new StateFile(stateFile, world);
  const restored = state?.load() ?? false;
  ensureEndpoints(world, webhooks);
  const controls: Controls = {
    world,
    reset: () => world.reset(),
    refuse: (durationMs) => listener.refuse(durationMs),
  };
  const pulse = new Pulse();
  const listener = new Listener(host, requestListener(controls, pulse, logger), upgradeHandler(world.listeners));
  const port = await listener.open(options.port ?? 0);
  world.baseUrl = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  state?.start();
  world.deliveries.resume();
  logger('listening', { url: world.baseUrl, restored });
  return {
    url: world.baseUrl,
    host,
    port,
    world,
    truth: (only) => truth(world, only),
    addFault: (spec) => armFault(world.faults, spec, controls.refuse),
    clearFaults: () => world.faults.clear(),
    advanceClock: (seconds) => advanceClock(world, seconds),
    reset: controls.reset,
    refuse: controls.refuse,
    close: async () => {
      state?.stop();
      pulse.stop();
      world.scheduler.clear();
      world.deliveries.close();
      world.listeners.close();
      await listener.close();
    },
  };
}

function requestListener(controls: Controls, pulse: Pulse, logger: Logger): RequestListener {
  const api = new Api(controls.world, pulse);
  return (request, response) => {
    const beside = /^\/(__|healthz|$|\?)/.test(request.url ?? '');
    const served = beside ? serveControl(controls, request, response) : api.serve(request, response);
    served.catch((error: unknown) => {
      if (request.destroyed && !request.complete) return;
      const details = error instanceof Error ? error.stack : String(error);
      controls.world.selfCheck?.fault(`${request.method} ${request.url}: ${details}`);
      logger('request_failed', { method: request.method, url: request.url, error: details });
      if (!response.headersSent) response.writeHead(500, { 'Content-Type': 'application/json' });
      response.end('{"error":{"type":"api_error","message":"The simulator failed; this is a bug in it."}}');
    });
  };
}

function settingsOf(options: SimulatorOptions): Partial<Settings> {
  const names = ['seed', ...Object.keys(DEFAULT_SETTINGS)] as (keyof Settings)[];
  return Object.fromEntries(names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]));
}
