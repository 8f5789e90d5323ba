import { spawn } from 'node:child_process';
import { Refusal } from './refusal.mjs';

/** Runs a program with its output kept back: one line when it is done, the output and a Refusal when it fails. */
export async function runQuietly(label, command, args, options) {
  const started = Date.now();
  if (process.stdout.isTTY) process.stdout.write(`… ${label}`);
  else console.log(`… ${label}`);
  const { code, output } = await runToEnd(command, args, options);
  const clear = process.stdout.isTTY ? '\r\u001b[2K' : '';
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  if (code === 0) {
    console.log(`${clear}✓ ${label} (${seconds} s)`);
    return;
  }
  console.log(`${clear}✗ ${label} (${seconds} s)`);
  throw new Refusal(`${output.trim()}\n\n${label} failed: ${code === undefined ? `${command} could not be started` : `${command} ended with ${code}`}; its output is above.`);
}

function runToEnd(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk) => (output += chunk);
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => resolve({ code: undefined, output: error.message }));
    child.on('close', (code, signal) => resolve({ code: code ?? signal, output }));
  });
}
