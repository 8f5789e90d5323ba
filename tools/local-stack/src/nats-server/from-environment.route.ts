import { StackError } from '../stack-error.js';
import { type Route } from './route.js';
import { probeVersion } from './version.js';

/** NATS_SERVER_BIN. Whoever sets it means it, so one that does not work is an error and not a reason to look elsewhere. */
export const fromEnvironment: Route = {
  name: 'NATS_SERVER_BIN',
  advice: 'set NATS_SERVER_BIN to a nats-server program',
  async look({ env }) {
    const program = env['NATS_SERVER_BIN'];
    if (program === undefined || program === '') return { because: 'not set' };
    if ((await probeVersion(program)) === undefined)
      throw new StackError(`NATS_SERVER_BIN is set to ${program}, which is not a nats-server that runs.`);
    return { found: program };
  },
};
