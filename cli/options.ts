import { parseArgs } from "node:util";
import { UsageError } from "./usage.ts";

/** What a command takes: how many words after its name, and whether `--out`. */
const COMMANDS = {
  verify: { least: 1, most: 2, out: "never" },
  ls: { least: 1, most: 4, out: "never" },
  cat: { least: 4, most: 4, out: "may" },
  export: { least: 3, most: 4, out: "must" },
  rebuild: { least: 1, most: 2, out: "must" },
} as const;

type Command = keyof typeof COMMANDS;

export interface Options {
  readonly command: Command;
  readonly place: string;
  /** What follows the vault. */
  readonly words: readonly string[];
  readonly out: string | undefined;
}

/** The options; `undefined` when help is wanted. @throws {UsageError} for anything that they cannot be. */
export const readOptions = (args: readonly string[]): Options | undefined => {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  const [command, place, ...words] = positionals;
  if (command === undefined || !isCommand(command)) throw mistake(`Unknown command '${command ?? ""}'`);
  const { least, most, out } = COMMANDS[command];
  if (place === undefined || positionals.length <= least) throw mistake(`${command} needs more words`);
  if (positionals.length > most + 1) throw mistake(`${command} takes no '${positionals[most + 1]}'`);
  if (out === "must" && values.out === undefined) throw mistake(`${command} needs --out`);
  if (out === "never" && values.out !== undefined) throw mistake(`${command} takes no --out`);
  return { command, place, words, out: values.out };
};

const parse = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { out: { type: "string" }, help: { type: "boolean", short: "h", default: false } },
    });
  } catch (error) {
    throw mistake(error instanceof Error ? error.message : String(error));
  }
};

const isCommand = (word: string): word is Command => Object.hasOwn(COMMANDS, word);

const mistake = (what: string): UsageError => new UsageError(`${what}. See npm run vault -- --help`);
