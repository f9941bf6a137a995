import type { Place } from "./ast.ts";

/** A file that is not Bicep, or uses syntax that the parser does not know. */
export class BicepSyntaxError extends Error {
  override readonly name = "BicepSyntaxError";
  readonly at: Place;

  constructor(message: string, at: Place) {
    super(message);
    this.at = at;
  }
}

/** Steps through a text. Line ends are significant in Bicep, so they are skipped only on purpose. */
export interface Scanner {
  readonly position: number;
  place(): Place;
  fail(message: string): never;
  /** Whether the text is next; takes nothing. */
  ahead(text: string): boolean;
  /** Skips blanks and comments of a line, then takes the text if it is next. */
  take(text: string): boolean;
  /** As `take`, for a whole word. */
  takeWord(word: string): boolean;
  /** Takes what a sticky expression matches at the position. */
  match(pattern: RegExp): string | undefined;
  expect(text: string): void;
  skipBlanks(): void;
  /** Skips blanks, comments and ends of lines. */
  skipLines(): void;
  /** Tries a step, and goes back when it returns false. */
  attempt(step: () => boolean): boolean;
  readonly atEnd: boolean;
}

const BLANKS = /(?:[ \t\r]|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
const BLANKS_AND_LINES = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
const WORD_GOES_ON = /[A-Za-z0-9_]/;

export const scan = (text: string): Scanner => {
  let position = 0;

  /** The line of the last position: the next one is usually behind it. */
  let known = { line: 1, start: 0 };

  const place = (): Place => {
    if (known.start > position) known = { line: 1, start: 0 };
    for (let end = text.indexOf("\n", known.start); end !== -1 && end < position; end = text.indexOf("\n", known.start))
      known = { line: known.line + 1, start: end + 1 };
    return { line: known.line, column: position - known.start + 1 };
  };
  const fail = (message: string): never => {
    throw new BicepSyntaxError(message, place());
  };
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = position;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) position += found.length;
    return found;
  };
  const ahead = (wanted: string): boolean => text.startsWith(wanted, position);
  const skipBlanks = (): void => void match(BLANKS);
  const take = (wanted: string): boolean => {
    skipBlanks();
    if (!ahead(wanted)) return false;
    position += wanted.length;
    return true;
  };

  return {
    get position() {
      return position;
    },
    get atEnd() {
      return position >= text.length;
    },
    place,
    fail,
    ahead,
    take,
    takeWord: (word) => {
      skipBlanks();
      if (!ahead(word) || WORD_GOES_ON.test(text[position + word.length] ?? "")) return false;
      position += word.length;
      return true;
    },
    match,
    expect: (wanted) => {
      if (!take(wanted)) fail(`expected ${wanted}`);
    },
    skipBlanks,
    skipLines: () => void match(BLANKS_AND_LINES),
    attempt: (step) => {
      const start = position;
      if (step()) return true;
      position = start;
      return false;
    },
  };
};
