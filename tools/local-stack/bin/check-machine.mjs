import { accessSync, constants } from 'node:fs';
import { Refusal } from './refusal.mjs';

const oldestNode = 20;
const platforms = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];

/** Throws a Refusal with one sentence when this machine cannot run Tidegate. */
export function checkMachine(root) {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < oldestNode)
    throw new Refusal(
      `Tidegate needs Node ${oldestNode} or newer to begin with and this is ${process.version}: install a newer Node and try again.`,
    );
  const platform = `${process.platform}-${process.arch}`;
  if (!platforms.includes(platform)) throw new Refusal(`Tidegate runs on ${platforms.join(', ')}; this machine is ${platform}.`);
  try {
    accessSync(root, constants.W_OK);
  } catch {
    throw new Refusal(`The folder ${root} cannot be written by this user: change its owner or check Tidegate out somewhere else.`);
  }
}
