import { parseArgs } from 'node:util';
import { defaultPortBase } from '../stack/ports.js';
import { type Replicas, type ServiceName, serviceNames } from '../stack/services.js';
import { StackError } from '../stack-error.js';

export interface StartOptions {
  /** Show the demonstration, then stop and end. */
  once: boolean;
  /** Return when all is ready and leave the stack running. */
  detach: boolean;
  /** We are the process that such a start left behind. */
  supervised: boolean;
  /** Jaeger and Prometheus beside it. */
  observability: boolean;
  replicas: Replicas;
  portBase: number;
}

/** Reads the arguments of `npm start --`. Throws StackError with one sentence for a wrong one. */
export function parseStartOptions(args: readonly string[]): StartOptions {
  const { once = false, detach = false, supervised = false, observability = false, replicas = '', 'port-base': portBase } = parsed(args);
  if (once && detach) throw new StackError('--once and --detach exclude each other.');
  return { once, detach, supervised, observability, replicas: parseReplicas(replicas), portBase: parsePortBase(portBase) };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        once: { type: 'boolean' },
        detach: { type: 'boolean' },
        supervised: { type: 'boolean' },
        observability: { type: 'boolean' },
        replicas: { type: 'string' },
        'port-base': { type: 'string' },
      },
    }).values;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('. ')[0] : String(error);
    throw new StackError(`${reason}. Known are --once, --detach, --observability, --replicas payments=3,gateway=2 and --port-base N.`);
  }
}

function parsePortBase(text: string | undefined): number {
  if (text === undefined) return defaultPortBase;
  const base = Number(text);
  if (!Number.isInteger(base) || base < 1 || base > 56_000)
    throw new StackError(`--port-base must be a whole number from 1 to 56000, not "${text}".`);
  return base;
}

function parseReplicas(text: string): Replicas {
  const replicas: Replicas = {};
  for (const entry of text.split(',').filter((one) => one !== '')) {
    const [name = '', count = ''] = entry.split('=');
    if (!serviceNames.includes(name as ServiceName))
      throw new StackError(`--replicas names "${name}"; the services are ${serviceNames.join(', ')}.`);
    if (!/^[1-9]\d?$/.test(count)) throw new StackError(`--replicas ${name} must be a whole number from 1 to 99, not "${count}".`);
    if (replicas[name as ServiceName] !== undefined) throw new StackError(`--replicas names ${name} twice; say once how many.`);
    replicas[name as ServiceName] = Number(count);
  }
  return replicas;
}
