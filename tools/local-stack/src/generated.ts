import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withScratchFolder } from './scratch-folder.js';
import { run } from './process/run.js';
import { nodeProgram, repositoryRoot } from './repository.js';
import { StackError } from './stack-error.js';

/** A file in the repository that a program writes, as `generators.json` lists them. */
export interface Generator {
  name: string;
  /** Arguments for Node, run at the root of the checkout after the build. It writes to the path that stands for `{file}`, or without that prints the file. */
  command: readonly string[];
  /** Path from the root. */
  file: string;
}

/** The generators of this repository. */
export function generators(root = repositoryRoot()): Generator[] {
  const list = join(root, 'tools', 'local-stack', 'generators.json');
  return existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as Generator[]) : [];
}

/** Throws StackError that names every generated file which is not what its generator prints now. */
export async function checkGenerated(list: readonly Generator[], root = repositoryRoot()): Promise<void> {
  const stale: string[] = [];
  for (const generator of list) {
    const expected = await generate(generator, root);
    const found = existsSync(join(root, generator.file)) ? readFileSync(join(root, generator.file), 'utf8') : undefined;
    if (found !== expected)
      stale.push(`${generator.file} (${generator.name}): ${found === undefined ? 'missing' : firstDifference(found, expected)}`);
  }
  if (stale.length > 0)
    throw new StackError(`Generated files are out of date; "npm run verify" rewrites them:\n${stale.map((one) => `  ${one}`).join('\n')}`);
}

/** Writes every generated file anew. */
export async function rewriteGenerated(list: readonly Generator[], root = repositoryRoot()): Promise<void> {
  for (const generator of list) {
    const text = await generate(generator, root);
    mkdirSync(dirname(join(root, generator.file)), { recursive: true });
    writeFileSync(join(root, generator.file), text);
  }
}

async function generate({ name, command }: Generator, root: string): Promise<string> {
  try {
    return await withScratchFolder(async (folder) => {
      const target = join(folder, 'generated');
      const args = command.map((argument) => argument.replace('{file}', target));
      const printed = await run(nodeProgram(), args, { cwd: root, timeoutMs: 60_000, stdoutOnly: true });
      return command.some((argument) => argument.includes('{file}')) ? readFileSync(target, 'utf8') : printed;
    });
  } catch (error) {
    throw new StackError(`The generator "${name}" failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function firstDifference(found: string, expected: string): string {
  const [have, want] = [found.split('\n'), expected.split('\n')];
  const line = want.findIndex((text, index) => have[index] !== text);
  return line === -1
    ? `has ${have.length - want.length} lines too many`
    : `line ${line + 1} should be ${JSON.stringify(want[line]?.slice(0, 80))}`;
}
