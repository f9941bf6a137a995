import { parseArgs } from "node:util";
import { UsageError } from "./usage.ts";

/** The number of operands of each command, the vault among them, and whether it takes `--out`. */
const COMMANDS = {
  verify: { min: 1, max: 2, out: "never" },
  ls: { min: 1, max: 4, out: "never" },
  cat: { min: 4, max: 4, out: "may" },
  export: { min: 3, max: 4, out: "must" },
  rebuild: { min: 1, max: 2, out: "must" },
} as const;

type Command = keyof typeof COMMANDS;

export interface Options {
  readonly command: Command;
  /** The vault: a folder, or the URL of a container. */
  readonly location: string;
  /** The operands after the vault. */
  readonly operands: readonly string[];
  readonly out: string | undefined;
}

/** The options; `undefined` for help. @throws {UsageError} for arguments that are not valid. */
export const readOptions = (args: readonly string[]): Options | undefined => {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  const [command, location, ...operands] = positionals;
  if (command === undefined || !isCommand(command)) throw usageError(`Unknown command '${command ?? ""}'`);
  const { min, max, out } = COMMANDS[command];
  if (location === undefined || positionals.length <= min) throw usageError(`${command} needs more arguments`);
  if (positionals.length > max + 1) throw usageError(`${command} takes no '${positionals[max + 1]}'`);
  if (out === "must" && values.out === undefined) throw usageError(`${command} needs --out`);
  if (out === "never" && values.out !== undefined) throw usageError(`${command} takes no --out`);
  return { command, location, operands, out: values.out };
};

const parse = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { out: { type: "string" }, help: { type: "boolean", short: "h", default: false } },
    });
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error));
  }
};

const isCommand = (word: string): word is Command => Object.hasOwn(COMMANDS, word);

const usageError = (what: string): UsageError => new UsageError(`${what}. See npm run vault -- --help`);
