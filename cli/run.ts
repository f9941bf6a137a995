import type { Writable } from "node:stream";
import { VaultDamageError } from "../shared/vault/damage.ts";
import { cat } from "./cat.ts";
import { exportItems } from "./export-items.ts";
import { ls } from "./ls.ts";
import { openVault, redactSas } from "./open-vault.ts";
import { type Options, readOptions } from "./options.ts";
import type { Printer } from "./printer.ts";
import { rebuild } from "./rebuild.ts";
import { USAGE } from "./usage.ts";
import { verify } from "./verify.ts";

/**
 * Runs one command and returns its exit code: 0; 1 when the vault is damaged; 2, with one line, for a usage error or a
 * vault that cannot be reached. No line contains a SAS.
 */
export const runVault = async (args: readonly string[], output: Writable, errors: Writable): Promise<number> => {
  const printer: Printer = {
    print: (line) => void output.write(`${line}\n`),
    warn: (line) => void errors.write(`${redactSas(line)}\n`),
  };
  try {
    const options = readOptions(args);
    if (options !== undefined) return await execute(options, printer, output);
    printer.print(USAGE);
    return 0;
  } catch (error) {
    const [first = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    printer.warn(first);
    return error instanceof VaultDamageError ? 1 : 2;
  }
};

const execute = async (
  { command, location, operands, out }: Options,
  printer: Printer,
  output: Writable,
): Promise<number> => {
  const vault = await openVault(location);
  const [mailbox = "", snapshot = "", last] = operands;
  switch (command) {
    case "verify":
      return verify(vault, printer, operands[0]);
    case "ls":
      return ls(vault, printer, operands);
    case "cat":
      return cat(vault, output, { mailbox, snapshot, item: last ?? "", out });
    case "export":
      return exportItems(vault, printer, { mailbox, snapshot, folder: last, out: out ?? "" });
    case "rebuild":
      return rebuild(vault, await openVault(out ?? "", { mayBeNew: true }), printer, operands[0]);
  }
};
