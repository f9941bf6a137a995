import type { Writable } from "node:stream";
import { VaultDamageError } from "../shared/vault/damage.ts";
import { cat } from "./cat.ts";
import { exportItems } from "./export-items.ts";
import { ls } from "./ls.ts";
import { openPlace, withoutSecrets } from "./open-place.ts";
import { type Options, readOptions } from "./options.ts";
import { rebuild } from "./rebuild.ts";
import type { Say } from "./say.ts";
import { USAGE } from "./usage.ts";
import { verify } from "./verify.ts";

/**
 * Runs one command and gives its exit code: 0; 1 when the vault is damaged; 2, with one line, for a mistake of the caller's
 * and for a vault that cannot be reached. No line holds a SAS.
 */
export const runVault = async (args: readonly string[], output: Writable, errors: Writable): Promise<number> => {
  const say: Say = {
    say: (line) => void output.write(`${line}\n`),
    complain: (line) => void errors.write(`${withoutSecrets(line)}\n`),
  };
  try {
    const options = readOptions(args);
    if (options !== undefined) return await carryOut(options, say, output);
    say.say(USAGE);
    return 0;
  } catch (error) {
    const [first = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    say.complain(first);
    return error instanceof VaultDamageError ? 1 : 2;
  }
};

const carryOut = async ({ command, place, words, out }: Options, say: Say, output: Writable): Promise<number> => {
  const vault = await openPlace(place);
  const [mailbox = "", snapshot = "", last] = words;
  switch (command) {
    case "verify":
      return verify(vault, say, words[0]);
    case "ls":
      return ls(vault, say, words);
    case "cat":
      return cat(vault, output, { mailbox, snapshot, item: last ?? "", out });
    case "export":
      return exportItems(vault, say, { mailbox, snapshot, folder: last, out: out ?? "" });
    case "rebuild":
      return rebuild(vault, await openPlace(out ?? "", { mayBeNew: true }), say, words[0]);
  }
};
