export type Cell = string | number | undefined;

/**
 * Rows as CSV, each ended by CRLF. Source: RFC 4180. A cell that a spreadsheet would read as a formula is prefixed with
 * an apostrophe, also when blanks, tabs or semicolons come first: some spreadsheets pass over the former and take the
 * latter for the end of a cell, unless it is quoted. Source: owasp.org/www-community/attacks/CSV_Injection.
 */
export const csvOf = (rows: readonly (readonly Cell[])[]): string =>
  rows.map((row) => `${row.map(cellText).join(",")}\r\n`).join("");

const cellText = (cell: Cell): string => {
  const text = String(cell ?? "").replace(/^[\s;]*[=+\-@]|^[\t\r]/, "'$&");
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
