import { describe, expect, it } from '@jest/globals';
import { helpOf, refuseArguments } from '../src/commands/usage.js';

describe('When a command is asked what it does', () => {
  it.each(['start', 'stop', 'reset', 'test', 'verify', 'bench', 'drill'])('%s says so, wherever the question stands', (command) => {
    expect(helpOf(command, ['--help'])).toMatch(/^Usage: npm /);
    expect(helpOf(command, ['something', '-h'])).toBe(helpOf(command, ['--help']));
    expect(helpOf(command, ['something'])).toBeUndefined();
  });

  it('the programs that have their own usage are left to say it', () => {
    expect(helpOf('chaos', ['--help'])).toBeUndefined();
    expect(helpOf('mutants', ['--help'])).toBeUndefined();
  });
});

describe('A command that deletes', () => {
  it('does nothing when it is given what it does not know', () => {
    expect(() => refuseArguments('npm run reset', ['--dry-run'])).toThrow(
      'npm run reset takes no arguments, and was given --dry-run. Nothing was done.',
    );
    expect(() => refuseArguments('npm run reset', [])).not.toThrow();
  });
});
