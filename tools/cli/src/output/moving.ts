import { stripVTControlCharacters } from 'node:util';

/** What a line is written to. */
export interface Screen {
  write(text: string): unknown;
  columns?: number;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;
const COLUMNS = 80;
const FROM_THE_START = '\r\u001b[2K';

/**
 * One line that moves until `end`. It only writes: keys and signals are left to the system, so that Ctrl-C ends the command as it ends any other, and a script goes no further.
 */
export function movingLine(screen: Screen, first: string): { say(text: string): void; end(text: string): void } {
  let [text, frame] = [first, 0];
  const draw = () => {
    const line = stripVTControlCharacters(`${FRAMES[frame % FRAMES.length]} ${text}`).replaceAll(/\s+/g, ' ');
    // A line that is too long would not be written over.
    screen.write(FROM_THE_START + [...line].slice(0, (screen.columns || COLUMNS) - 1).join(''));
    frame += 1;
  };
  draw();
  const moving = setInterval(draw, FRAME_MS);
  return {
    say: (now) => void (text = now),
    end(last) {
      clearInterval(moving);
      screen.write(`${FROM_THE_START}${last}\n`);
    },
  };
}
