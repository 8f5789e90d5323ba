import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { repositoryRoot } from '../repository.js';
import { QUESTIONS, supplyChainCheck } from './supply-chain.check.js';

const answering = (answers: Record<string, string>) =>
  supplyChainCheck((args) => {
    const output = answers[args.join(' ')];
    return Promise.resolve(output === undefined ? { output: '' } : { output, failure: 'ended with code 1' });
  }).run();

describe('The check of the supply chain', () => {
  it('passes when npm has nothing to say against the packages', async () => {
    expect(await answering({})).toEqual({ passed: QUESTIONS.length, failed: 0, skipped: 0, output: '' });
  });

  it('fails for a signature that is wrong, and says which', async () => {
    const result = await answering({ 'audit signatures': '1 package has an invalid registry signature: pino' });
    expect(result).toMatchObject({ passed: QUESTIONS.length - 1, failed: 1, skipped: 0 });
    expect(result.output).toContain('pino');
  });

  it('does not take silence for an answer', async () => {
    const result = await answering({ 'audit signatures': 'npm error code ENOTFOUND' });
    expect(result).toMatchObject({ passed: QUESTIONS.length - 1, failed: 0, skipped: 1 });
  });

  it('asks what CI asks', () => {
    const script = readFileSync(join(repositoryRoot(), '.ci', 'supply-chain'), 'utf8').split('\n');
    const asked = script.filter((line) => /^npm (?!ci )/.test(line)).map((line) => line.replace(/ >.*/, ''));
    expect(asked).toEqual(QUESTIONS.map((question) => `npm ${question.join(' ')}`));
  });
});
