/** Loaded into the program under load: tells its memory and CPU time when asked over the IPC channel. */
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const collect = (globalThis as { gc?: () => void }).gc;
  collect?.();
  process.send?.({ heap: process.memoryUsage().heapUsed, cpu: (user + system) / 1e6 });
});
process.channel?.unref();
