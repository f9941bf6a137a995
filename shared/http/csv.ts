export type Cell = string | number | undefined;

/**
 * Rows as CSV, each ended by CRLF. Source: RFC 4180. A cell that a spreadsheet would read as a formula is prefixed with
 * an apostrophe. Source: owasp.org/www-community/attacks/CSV_Injection.
 */
export const csvOf = (rows: readonly (readonly Cell[])[]): string =>
  rows.map((row) => `${row.map(cellText).join(",")}\r\n`).join("");

const cellText = (cell: Cell): string => {
  const text = String(cell ?? "").replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
