import cliProgress from "cli-progress";

/** Where the demo tells what happens: bars on a terminal, plain lines elsewhere, nothing but errors with `quiet`. */
export interface Screen {
  say(line?: string): void;
  /** A line of progress with a bar where there is a terminal. */
  bar(label: string): Bar;
}

export interface Bar {
  /** `total` may grow while work is being found. */
  update(done: number, total: number, note: string): void;
  stop(): void;
}

const NO_BAR: Bar = { update: () => undefined, stop: () => undefined };

export const screen = (output: NodeJS.WriteStream): Screen => {
  const say = (line = ""): void => {
    output.write(`${line}\n`);
  };
  if (!output.isTTY) return { say, bar: () => NO_BAR };
  return {
    say,
    bar: (label) => {
      const bar = new cliProgress.SingleBar({
        format: `  ${label.padEnd(16)} {bar} {value}/{total} items  {note}`,
        barsize: 28,
        barCompleteChar: "█",
        barIncompleteChar: "░",
        hideCursor: true,
        stream: output,
      });
      bar.start(1, 0, { note: "" });
      return {
        update: (done, total, note) => {
          bar.setTotal(Math.max(total, done, 1));
          bar.update(done, { note });
        },
        stop: () => bar.stop(),
      };
    },
  };
};

/** Bytes as a person reads them, in powers of 1,000. */
export const readableBytes = (bytes: number): string => {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
};

export const readableSeconds = (seconds: number): string => `${seconds.toFixed(1)} s`;

/** A table with its first column to the left and the others to the right. */
export const table = (rows: readonly (readonly string[])[]): string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("   ")
      .trimEnd();
  const [head = [], ...body] = rows;
  const rule = widths.map((width) => "─".repeat(width)).join("───");
  return [line(head), rule, ...body.map(line)].map((text) => `  ${text}`).join("\n");
};
