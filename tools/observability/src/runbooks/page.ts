import { basename } from 'node:path';
import { filesIn, runbooksFolder } from '../repository-files.js';

/** A fenced block that is meant to be run: its first line says ` ```sh run `. */
export interface Runnable {
  section: string;
  language: 'sh' | 'sql' | 'promql';
  text: string;
}

export interface Page {
  /** File without its suffix: `stripe-circuit-open`. */
  name: string;
  title: string;
  /** Headings of the second level, in order. */
  sections: string[];
  runnables: Runnable[];
  text: string;
}

/** What every page has, in this order. */
export const SECTIONS = ['Meaning', 'Impact', 'Diagnosis', 'Mitigation', 'Verification', 'Prevention'] as const;

/** The pages of docs/runbooks, without the table of contents. */
export function runbookPages(): Page[] {
  return filesIn(runbooksFolder(), '.md')
    .map(({ file, text }) => parsePage(basename(file, '.md'), text))
    .filter(({ name }) => name !== 'README' && name !== 'reference-steps');
}

/** Throws an Error for a block that is marked as runnable in a language that nothing runs. */
export function parsePage(name: string, text: string): Page {
  const page: Page = { name, title: /^# (.*)$/m.exec(text)?.[1] ?? '', sections: [], runnables: [], text };
  let section = '';
  let open: { language: string; lines: string[]; run: boolean } | null = null;
  for (const line of text.split('\n')) {
    const fence = /^```(\w*)( run)?\s*$/.exec(line);
    if (open !== null) {
      if (line !== '```') {
        open.lines.push(line);
        continue;
      }
      if (open.run) page.runnables.push({ section, language: languageOf(name, open.language), text: open.lines.join('\n') });
      open = null;
    } else if (fence !== null) open = { language: fence[1] ?? '', lines: [], run: fence[2] !== undefined };
    else if (line.startsWith('## ')) page.sections.push((section = line.slice(3).trim()));
  }
  return page;
}

function languageOf(page: string, language: string): Runnable['language'] {
  if (language === 'sh' || language === 'sql' || language === 'promql') return language;
  throw new Error(`docs/runbooks/${page}.md: nothing runs a block of "${language}"`);
}

/** The `tidegate …` command lines in a shell block, each as words, without what the shell does with their output. */
export function tidegateCommands(text: string): string[][] {
  return text
    .replaceAll(/\\\n\s*/g, ' ')
    .split(/\n|\||&&|;|\$\(|\)/)
    .map((part) => part.trim())
    .filter((part) => /^tidegate\s/.test(part))
    .map((part) => [
      ...part
        .replace(/\s+#.*$/, '')
        .replace(/\s\d?>.*$/, '')
        .matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g),
    ])
    .map((words) => words.slice(1).map(([, double, single, plain]) => double ?? single ?? plain ?? ''));
}
