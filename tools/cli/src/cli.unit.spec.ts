import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { PassThrough } from 'node:stream';
import { Cli } from './cli.js';

describe('Work that takes a while, where nobody watches a line move', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  function started(): { out: string[]; err: string[]; say: (text: string) => void; end: () => Promise<void> } {
    const [out, err]: [string[], string[]] = [[], []];
    const streams = { input: new PassThrough(), output: new PassThrough() };
    const cli = new Cli({
      out: (text) => void out.push(text),
      err: (text) => void err.push(text),
      interactive: false,
      colors: false,
      env: {},
      cwd: '/',
      ...streams,
    });
    const { promise, resolve } = Promise.withResolvers<undefined>();
    let say: (text: string) => void = () => undefined;
    const done = cli.progress('Copying', (change) => {
      say = change;
      return promise;
    });
    return { out, err, say: (text) => say(text), end: () => (resolve(undefined), done) };
  }

  it('says how far it is every half a minute, and nothing more when it is done', async () => {
    const { out, err, say, end } = started();
    await jest.advanceTimersByTimeAsync(29_000);
    expect(err).toEqual([]);
    await jest.advanceTimersByTimeAsync(1_000);
    say('3 of 7');
    say('4 of 7');
    await jest.advanceTimersByTimeAsync(30_000);
    expect(err).toEqual(['Copying\n', '4 of 7\n']);
    await end();
    await jest.advanceTimersByTimeAsync(90_000);
    expect(err).toHaveLength(2);
    expect(out).toEqual([]);
  });
});
