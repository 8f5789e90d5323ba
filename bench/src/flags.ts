import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';

/** The options of a benchmark; one that it does not know ends the program with a sentence. */
export function flagsOf<T extends ParseArgsOptionsConfig>(options: T) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('. ')[0] : String(error);
    console.error(
      `${reason}. Known are ${Object.keys(options)
        .map((name) => `--${name}`)
        .join(', ')}.`,
    );
    process.exit(1);
  }
}
