import { parseArgs } from "node:util";
import { StackError } from "../local/stack/child.ts";

export const USAGE = `Usage: npm run bench -- [--only TEXT] [--full] [--large N] [--app DIR] [--json]

  --only TEXT  measure only rows whose name contains TEXT
  --full       add the rows of the large mailbox, and of restores past their first 150 MB
  --large N    items of the large mailbox (1000000)
  --app DIR    folder of the built app (this project)
  --json       end with the results as one line of JSON`;

export interface BenchOptions {
  readonly only: string;
  readonly full: boolean;
  readonly large: number;
  readonly app: string | undefined;
  readonly json: boolean;
  readonly help: boolean;
}

/** @throws {StackError} for unknown arguments. */
export const readBenchOptions = (args: readonly string[]): BenchOptions => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: "string", default: "" },
        full: { type: "boolean", default: false },
        large: { type: "string", default: "1000000" },
        app: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    const large = Number(values.large);
    if (!Number.isInteger(large) || large < 1)
      throw new Error(`--large takes a number of items, not '${values.large}'`);
    return { ...values, app: values.app, large };
  } catch (error) {
    throw new StackError(`${error instanceof Error ? error.message : String(error)}. See npm run bench -- --help`);
  }
};
