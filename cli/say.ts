/** Where a command's lines go: what was asked for, and what is about it. */
export interface Say {
  say(line: string): void;
  complain(line: string): void;
}

/** One line with columns, whatever is in them. */
export const columns = (cells: readonly (string | number | undefined)[]): string =>
  cells.map((cell) => String(cell ?? "").replaceAll(/[\t\r\n]+/g, " ")).join("\t");
