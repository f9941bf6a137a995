import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Finding, finding } from "./finding.ts";
import { EXAMPLES, SUBSCRIPTION, type Target } from "./targets.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const NAME = process.platform === "win32" ? "bicep.exe" : "bicep";

/** Where get-compiler.mjs puts it. */
const PACKAGES = join(ROOT, "node_modules/.cache/bicep");

/** Says how to get the compiler, in one line. */
export const HOW_TO_GET_IT = "node tools/check-infra/get-compiler.mjs (needs the .NET SDK), or set BICEP to its path";

/** Bicep's compiler: the one that BICEP names, that get-compiler.mjs brought, of PATH, or of azd or az. */
export const findCompiler = (): string | undefined =>
  [
    process.env["BICEP"],
    ...packaged(),
    ...(process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, NAME)),
    join(homedir(), ".azd/bin", NAME),
    join(homedir(), ".azure/bin", NAME),
  ].find((path) => path !== undefined && path !== "" && isExecutable(path));

const packaged = (): string[] => {
  const folder = join(PACKAGES, "azure.bicep.commandline.linux-x64");
  return existsSync(folder) ? readdirSync(folder).map((version) => join(folder, version, "tools", NAME)) : [];
};

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

export interface Compiled {
  readonly output: string;
  /** What the compiler found; an entry for a failure without a place. */
  readonly findings: readonly Finding[];
}

/** `/a/b/infra/x.bicep(80,13) : Error use-…: message [https://…]` */
const DIAGNOSTIC = /^(.*?)\((\d+),\d+\) : (?:Error|Warning|Info) (.*)$/;

/** Runs the compiler in the folder that has infra/, with examples as its only variables. A warning is a finding too. */
export const compile = (compiler: string, folder: string, args: readonly string[]): Promise<Compiled> =>
  new Promise((resolve) => {
    const { HOME, USERPROFILE, SystemRoot } = process.env;
    // Without this setting .NET wants a library that a small machine may lack; texts need none of it.
    const env = { ...EXAMPLES, HOME, USERPROFILE, SystemRoot, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: "1" };
    execFile(compiler, args, { cwd: folder, env, maxBuffer: 2 ** 26 }, (error, output, errors) => {
      const lines = errors.split(/\r?\n/).filter((line) => line.trim() !== "");
      const findings = lines.flatMap((line) => {
        const [, path = "", number, message = ""] = DIAGNOSTIC.exec(line) ?? [];
        return message === "" ? [] : [finding(path.slice(path.lastIndexOf("infra/")), message, Number(number))];
      });
      const isSilent = error !== null && findings.length === 0;
      resolve({
        output,
        findings: isSilent
          ? [finding("infra", `bicep ${args.join(" ")} failed: ${lines.join(" ") || error.message}`)]
          : findings,
      });
    });
  });

/** The arguments that make a target's snapshot, or compare it with its file. */
export const snapshotArguments = ({ name, scope }: Target, mode: "overwrite" | "validate"): string[] => [
  ...["snapshot", `infra/${name}.bicepparam`, "--mode", mode],
  ...["--subscription-id", SUBSCRIPTION, "--location", EXAMPLES["AZURE_LOCATION"] ?? ""],
  ...["--deployment-name", "example", ...(scope === "group" ? ["--resource-group", "mv-prod-rg"] : [])],
];
