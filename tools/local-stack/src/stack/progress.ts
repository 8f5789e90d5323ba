/** Shows a person what is going on: one line per step, with a mark and its duration when it is done. */
export interface Progress {
  step<T>(label: string, work: () => Promise<T>): Promise<T>;
  say(line: string): void;
}

export const silent: Progress = { step: (_label, work) => work(), say: () => undefined };

/** On a terminal the running step stands there until its mark replaces it; in a file or pipe only finished steps are written. */
export function progressOn(stream: NodeJS.WriteStream): Progress {
  return {
    say: (line) => void stream.write(`${line}\n`),
    async step(label, work) {
      const started = performance.now();
      const finish = (mark: string) => {
        const seconds = ((performance.now() - started) / 1000).toFixed(1);
        stream.write(`${stream.isTTY ? '\r\u001b[2K' : ''}${mark} ${label} (${seconds} s)\n`);
      };
      if (stream.isTTY) stream.write(`… ${label}`);
      try {
        const result = await work();
        finish('✓');
        return result;
      } catch (error) {
        finish('✗');
        throw error;
      }
    },
  };
}
