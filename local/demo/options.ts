import { parseArgs } from "node:util";
import { StackError } from "../stack/child.ts";

export const USAGE = `Usage: npm run demo -- [--pst FILE...] [--app DIR] [--json] [--verbose]

  --pst FILE...  back up the mailboxes of Outlook data files instead of generated ones
  --app DIR      folder of the built app (this project)
  --json         end with one line of JSON
  --verbose      show what the host, the Graph emulator and the storage print`;

export interface DemoOptions {
  readonly pst: readonly string[];
  readonly app: string | undefined;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly help: boolean;
}

/** @throws {StackError} for words that it does not know. Every word after `--pst` that is no option names a file. */
export const readDemoOptions = (args: readonly string[]): DemoOptions => {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        pst: { type: "string", multiple: true, default: [] },
        app: { type: "string" },
        json: { type: "boolean", default: false },
        verbose: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (positionals.length > 0 && values.pst.length === 0) throw new Error(`Unknown word '${positionals[0]}'`);
    return { ...values, app: values.app, pst: [...values.pst, ...positionals] };
  } catch (error) {
    throw new StackError(`${error instanceof Error ? error.message : String(error)}. See npm run demo -- --help`);
  }
};
