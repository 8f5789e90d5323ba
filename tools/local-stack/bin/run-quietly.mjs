import { spawn } from 'node:child_process';
import { Refusal } from './refusal.mjs';

/** Runs a program with its output kept back: one line when it is done, the output and a Refusal when it fails. */
export async function runQuietly(label, command, args, options) {
  const { failure, output } = await tryQuietly(label, command, args, options);
  if (failure !== undefined) throw new Refusal(`${output.trim()}\n\n${label} failed: ${command} ${failure}; its output is above.`);
}

/** The same for callers that have another way: `failure` says how it ended when that was not well. */
export async function tryQuietly(label, command, args, options) {
  const started = Date.now();
  const isTerminal = process.stdout.isTTY === true;
  process.stdout.write(`… ${label}${isTerminal ? '' : '\n'}`);
  const { failure, output } = await runToEnd(command, args, options);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${isTerminal ? '\r\u001b[2K' : ''}${failure === undefined ? '✓' : '✗'} ${label} (${seconds} s)`);
  return { label, failure, output };
}

function runToEnd(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    const endBoth = () => {
      child.kill('SIGTERM');
      process.exit(130);
    };
    for (const signal of signals) process.on(signal, endBoth);
    child.on('close', () => signals.forEach((signal) => process.off(signal, endBoth)));
    let output = '';
    const keep = (chunk) => (output += chunk);
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => resolve({ failure: `could not be started (${error.message})`, output }));
    child.on('close', (code, signal) => resolve({ failure: code === 0 ? undefined : `ended with ${code ?? signal}`, output }));
  });
}
