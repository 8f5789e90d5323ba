import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from '../process/run.js';
import { repositoryRoot } from '../repository.js';
import { helm } from './deploy-tools.js';

const CHART = join('deploy', 'kubernetes', 'tidegate');
/** The chart as plain YAML with its default values; alerts are beside it, in prometheus-rules.yaml. */
export const RENDERED = join('deploy', 'kubernetes', 'generated', 'tidegate.yaml');

/** Of everything that the rendered form is made of. It stands in its first line, so that whoever has no helm still sees that it is of another chart. */
export function chartHash(root = repositoryRoot()): string {
  const hash = createHash('sha256');
  const chart = join(root, CHART);
  const files = ['Chart.yaml', 'values.yaml', 'values.schema.json', ...templatesOf(chart)].map((file) => join(chart, file));
  for (const file of [...files, join(root, 'deploy', 'nats', 'accounts.conf')])
    hash.update(`${relative(root, file)}\n`).update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

/** The chart with other values, as `--set` has them. Throws StackError with what helm says. */
export async function render(set: readonly string[], say: (line: string) => void, root = repositoryRoot()): Promise<string> {
  const args = ['template', 'tidegate', join(root, CHART), '--namespace', 'tidegate', ...set.flatMap((one) => ['--set', one])];
  return run(await helm(say), args, { stdoutOnly: true, timeoutMs: 60_000 });
}

/** The text of the rendered form. */
export async function renderedChart(say: (line: string) => void, root = repositoryRoot()): Promise<string> {
  const head = [
    `# Rendered from deploy/kubernetes/tidegate by helm; of chart ${chartHash(root)}. "npm run verify" renders it anew.`,
    '# Apply the NetworkPolicy `migrate-job`, then the Job `migrate-…`, and wait for its end before the rest: kubectl knows no hooks.',
    '',
  ].join('\n');
  return head + (await render(['monitoring.prometheusRule.enabled=false'], say, root));
}

export async function rewriteRenderedChart(say: (line: string) => void): Promise<void> {
  writeFileSync(join(repositoryRoot(), RENDERED), await renderedChart(say));
}

const templatesOf = (chart: string): string[] =>
  readdirSync(join(chart, 'templates'))
    .sort()
    .map((file) => join('templates', file));
