import { describe, expect, it } from '@jest/globals';
import { linesTogether } from './lines-together.js';

function output() {
  const written: string[] = [];
  let exit = (): void => undefined;
  const lines = linesTogether(
    (text) => void written.push(text),
    (flush) => (exit = flush),
  );
  return { written, lines, exit: () => exit() };
}

describe('Lines of a log', () => {
  it('of one turn of the event loop are one write, in their order, also when they come from promises', async () => {
    const { written, lines } = output();
    lines.write('a\n');
    void Promise.resolve().then(() => lines.write('b\n'));
    void Promise.resolve()
      .then(() => undefined)
      .then(() => lines.write('c\n'));
    expect(written).toEqual([]);
    await new Promise(setImmediate);
    expect(written.join('')).toBe('a\nb\nc\n');
    expect(written.length).toBeLessThan(3);

    lines.write('d\n');
    await new Promise(setImmediate);
    expect(written.at(-1)).toBe('d\n');
  });

  it('are written before anything else of the event loop runs', async () => {
    const { written, lines } = output();
    const next = new Promise<string>((resolve) => setImmediate(() => resolve(written.join(''))));
    lines.write('a\n');
    expect(await next).toBe('a\n');
  });

  it('that wait when the process exits are written then', () => {
    const { written, lines, exit } = output();
    lines.write('last\n');
    exit();
    expect(written).toEqual(['last\n']);
  });

  it('are written at once when they are many', () => {
    const { written, lines } = output();
    for (let i = 0; i < 100; i += 1) lines.write(`${'x'.repeat(1_000)}\n`);
    expect(written).toHaveLength(1);
  });
});
