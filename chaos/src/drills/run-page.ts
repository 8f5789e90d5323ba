import { tryRun } from '@tidegate/local-stack/process/run';
import { type Page, type Runnable } from '@tidegate/observability/runbooks/page';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Drill } from './drill.js';
import { type Stage } from './stage.js';

const BLOCK_MS = 60_000;

/** Runs the blocks of one section in order, as an operator would. Throws an Error with the block and what it printed when one fails. */
export async function runSection(
  { stage, page, drill, say }: { stage: Stage; page: Page; drill: Drill; say: (line: string) => void },
  section: string,
): Promise<void> {
  const env = { ...stage.shellEnv(), ...drill.shell?.(stage) };
  for (const block of page.runnables.filter((one) => one.section === section)) {
    await drill.before?.(stage, block);
    say(`    ${section}: ${block.text.split('\n')[0]}`);
    if (section === 'Verification') await eventually(() => runBlock(stage, block, env), { timeoutMs: 90_000, everyMs: 500 });
    else await runBlock(stage, block, env);
  }
}

/** A verification must come out well: exit code 0, or a query that finds nothing. Elsewhere 2 is fine, too: it means that something was found. */
async function runBlock(stage: Stage, { section, language, text }: Runnable, env: NodeJS.ProcessEnv): Promise<void> {
  const strict = section === 'Verification';
  switch (language) {
    case 'sh': {
      const { output, failure } = await tryRun('bash', ['-euc', strict ? text : tolerant(text)], {
        env,
        cwd: stage.arena.stack.dir,
        timeoutMs: BLOCK_MS,
      });
      if (failure !== undefined) throw new Error(`${text}\n${failure}:\n${output}`);
      return;
    }
    case 'sql':
      await stage.arena.sql(text);
      return;
    case 'promql': {
      const found = await stage.query(text);
      if (strict && found.length > 0) throw new Error(`${text}\nfinds ${JSON.stringify(found)}`);
      return;
    }
    default:
      language satisfies never;
  }
}

/** `tidegate` that takes "found something" for an answer; its exit code of 1 still ends the block. */
const tolerant = (text: string): string =>
  `tidegate() { command tidegate "$@" || { code=$?; [ "$code" = 2 ] || exit "$code"; }; }\n${text}`;
