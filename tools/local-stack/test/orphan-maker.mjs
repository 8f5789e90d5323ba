// Starts a process as a supervisor does, says its pid, and is then killed by the test without a chance to stop it.
import { ManagedProcess } from '../dist/process/managed-process.js';

const child = await ManagedProcess.start({
  name: 'toy',
  command: process.execPath,
  args: [process.argv[2]],
  env: { PORT: '0' },
  cwd: '/',
  log: process.argv[3],
  stopSignal: 'SIGTERM',
});
console.log(child.pid);
setInterval(() => undefined, 1000);
