import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inject, misfit, type Mutant, mutantsIn, remove } from './mutant.js';
import { copyTree } from './mutant-tree.js';

const USAGE = `Usage: npm run mutants [-- NAME …]

Puts each deliberate defect of chaos/mutants/ into a copy of the sources and runs the specs that must notice. Exit 0 when every defect turned
its specs red and the same specs are green without it.`;

const checkout = join(import.meta.dirname, '..', '..');
const chosen = process.argv.slice(2);
if (chosen.includes('--help')) {
  console.log(USAGE);
  process.exit(0);
}

const all = mutantsIn(join(checkout, 'chaos', 'mutants'));
const unknown = chosen.filter((name) => !all.some((mutant) => mutant.name === name));
if (unknown.length > 0) {
  console.error(`There is no mutant ${unknown.join(', ')}; there are: ${all.map((mutant) => mutant.name).join(', ')}`);
  process.exit(1);
}
const mutants = all.filter((mutant) => chosen.length === 0 || chosen.includes(mutant.name));
const tree = copyTree(checkout);
process.on('exit', () => tree.remove());
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));

const rotten = mutants.flatMap((mutant) => misfit(mutant, tree.root)?.replace(/^/, `${mutant.name}: `) ?? []);
if (rotten.length > 0) fail(`These no longer fit the sources; write them anew:\n${rotten.join('\n')}`);

console.log('… the same specs without any defect');
const sound = await runSpecs([...new Set(mutants.flatMap((mutant) => mutant.specs))]);
if (sound.kind !== 'green') fail(`They must be green before anything is broken:\n${sound.output}`);

const survivors: string[] = [];
for (const [i, mutant] of mutants.entries()) {
  const started = performance.now();
  const verdict = await verdictOn(mutant);
  if (!verdict.killed) survivors.push(mutant.name);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    `${verdict.killed ? '✓' : '✗'} ${i + 1}/${mutants.length} ${mutant.name}: ${mutant.defect} (${seconds} s)\n    ${verdict.what}`,
  );
}
console.log(`${mutants.length - survivors.length} of ${mutants.length} defects turn the suite red.`);
if (survivors.length > 0) fail(`Nobody notices: ${survivors.join(', ')}`);

async function verdictOn(mutant: Mutant): Promise<{ killed: boolean; what: string }> {
  inject(mutant, tree.root);
  try {
    const result = await runSpecs(mutant.specs);
    if (result.kind === 'red') return { killed: true, what: `red: ${result.failed[0]}${more(result.failed.length - 1)}` };
    return { killed: false, what: result.kind === 'green' ? 'all green' : `could not run:\n${result.output}` };
  } finally {
    remove(mutant, tree.root);
  }
}

type Result = { kind: 'green'; output: string } | { kind: 'red'; failed: string[]; output: string } | { kind: 'broken'; output: string };

interface Report {
  numRuntimeErrorTestSuites: number;
  numPassedTests: number;
  testResults: { assertionResults: { status: string; fullName: string }[] }[];
}

function more(n: number): string {
  return n > 0 ? ` and ${n} more` : '';
}

/** A suite that cannot even be loaded says nothing about the defect, so it counts as broken and not as red. */
async function runSpecs(specs: readonly string[]): Promise<Result> {
  const report = join(tree.root, 'mutants.json');
  rmSync(report, { force: true });
  const jest = join(tree.root, 'node_modules', 'jest', 'bin', 'jest.js');
  const args = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, '--runTestsByPath', ...specs];
  const flags = ['--forceExit', '--json', `--outputFile=${report}`, '--maxWorkers=2', '--testTimeout=30000'];
  const child = spawn(process.execPath, [...args, ...flags], { cwd: tree.root, stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise((resolve) => child.on('exit', resolve));
  const found = readReport(report);
  if (!found || found.numRuntimeErrorTestSuites > 0 || found.testResults.length === 0) return { kind: 'broken', output };
  const failed = found.testResults.flatMap((suite) =>
    suite.assertionResults.filter((one) => one.status === 'failed').map((one) => one.fullName),
  );
  return failed.length > 0 ? { kind: 'red', failed, output } : { kind: 'green', output };
}

function readReport(file: string): Report | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    return null;
  }
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
