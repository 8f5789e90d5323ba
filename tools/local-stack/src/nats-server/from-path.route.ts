import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { oldestVersion } from './releases.js';
import { type Route } from './route.js';
import { isAtLeast, probeVersion } from './version.js';

/** A nats-server that is installed already, of any version from the oldest supported. */
export const fromPath: Route = {
  name: 'the PATH',
  advice: `install nats-server ${oldestVersion} or newer`,
  async look({ env }) {
    const program = (env['PATH'] ?? '')
      .split(delimiter)
      .filter((folder) => folder !== '')
      .map((folder) => join(folder, 'nats-server'))
      .find(isExecutable);
    if (program === undefined) return { because: 'no nats-server on it' };
    const version = await probeVersion(program);
    if (version === undefined || !isAtLeast(version, oldestVersion))
      return { because: `${program} is ${version ?? 'of unknown version'}, older than ${oldestVersion}` };
    return { found: program };
  },
};

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
