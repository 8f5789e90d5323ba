import { describe, expect, it } from '@jest/globals';
import { sideBySide } from './side-by-side.js';

describe('What is done side by side', () => {
  it('has ended when all of it has', async () => {
    const ended: string[] = [];
    const first = Promise.withResolvers<undefined>();
    const both = sideBySide(
      () => first.promise.then(() => void ended.push('first')),
      async () => {
        ended.push('second');
        first.resolve(undefined);
        await first.promise;
      },
    );
    await both;
    expect(ended).toEqual(['second', 'first']);
  });

  it('fails with what failed first, and only when nothing is under way any more', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const ended: string[] = [];
    const failing = sideBySide(
      async () => {
        await promise;
        ended.push('aborted');
        throw new Error('current transaction is aborted');
      },
      async () => {
        resolve(undefined);
        throw new Error('the cause');
      },
    );
    await expect(failing).rejects.toThrow('the cause');
    expect(ended).toEqual(['aborted']);
  });
});
