/** Prints a command's lines. */
export interface Printer {
  /** A line of the result. */
  print(line: string): void;
  /** A line about the result. */
  warn(line: string): void;
}

/** One line with columns, without the tabs and line breaks of any cell. */
export const columns = (cells: readonly (string | number | undefined)[]): string =>
  cells.map((cell) => String(cell ?? "").replaceAll(/[\t\r\n]+/g, " ")).join("\t");
