import { freePort, isPortFree } from '../process/free-port.js';
import { StackError } from '../stack-error.js';
import { type Instance, instanceName, serviceNames } from './services.js';

export const defaultPortBase = 3000;
const simulatorDistance = 12_111 - defaultPortBase;

/** A port for every process; services by `instanceName`. */
export interface Ports {
  services: Map<string, number>;
  simulator: number;
  postgres: number;
  nats: number;
}

/**
 * The documented ports: gateway at the base, the other services behind it, replica n 100·(n-1) higher, the simulator at its distance; PostgreSQL and
 * NATS take free ones. Throws StackError that names the first port somebody else listens on.
 */
export async function portsFromBase(base: number, instances: readonly Instance[]): Promise<Ports> {
  const services = new Map(instances.map((one) => [instanceName(one), base + serviceNames.indexOf(one.name) + 100 * (one.replica - 1)]));
  const simulator = base + simulatorDistance;
  for (const [name, port] of [...services, ['the simulator', simulator] as const]) {
    if (port < 1 || port > 65_535) throw new StackError(`--port-base ${base} would put ${name} on port ${port}, which does not exist.`);
    if (!(await isPortFree(port))) {
      throw new StackError(
        `Port ${port}, which ${name} needs, is in use by another program: stop that, or choose other ports with --port-base, for example "npm start -- --port-base ${base + 10_000}".`,
      );
    }
  }
  return { services, simulator, postgres: await freePort(), nats: await freePort() };
}

/** Free ports for everything, so that stacks can run side by side. */
export async function freePorts(instances: readonly Instance[]): Promise<Ports> {
  const services = new Map<string, number>();
  for (const one of instances) services.set(instanceName(one), await freePort());
  return { services, simulator: await freePort(), postgres: await freePort(), nats: await freePort() };
}
