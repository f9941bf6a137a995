import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mapBounded } from "../../shared/bounded.ts";
import { compile, snapshotArguments } from "./compiler.ts";
import type { Finding } from "./finding.ts";
import { ROOT } from "./project.ts";
import { snapshotPathOf, TARGETS, type Target } from "./targets.ts";

/** Compilers at the same time. Each keeps a processor busy. */
const WIDTH = 2;

/**
 * What the compiler says of every template and parameter file and, unless they were just made, of snapshots that are
 * not what it would make.
 */
export const compileProject = async (
  compiler: string,
  { validate }: { readonly validate: boolean },
): Promise<Finding[]> => {
  const outdir = mkdtempSync(join(tmpdir(), "mailbox-vault-infra-"));
  const runs = [
    ["build", "--pattern", "infra/**/*.bicep", "--outdir", outdir],
    ["lint", "--pattern", "infra/**/*.bicep"],
    ["build-params", "--pattern", "infra/**/*.bicepparam", "--outdir", outdir],
    ...(validate ? TARGETS.map((target) => snapshotArguments(target, "validate")) : []),
  ];
  const compiled = await mapBounded(runs, WIDTH, (args) => compile(compiler, ROOT, args));
  rmSync(outdir, { recursive: true, force: true });
  const found = compiled.flatMap(({ findings }) => findings);
  const texts = new Set<string>();
  return found.filter((one) => {
    const text = JSON.stringify(one);
    return !texts.has(text) && texts.add(text);
  });
};

export interface Made {
  readonly findings: readonly Finding[];
  /** Its text; `undefined` when the compiler made none. */
  readonly snapshot: string | undefined;
}

/** The snapshot of a target after some of the sources are changed, made in a folder of its own. */
export const makeSnapshot = async (
  compiler: string,
  target: Target,
  changed: Readonly<Record<string, string>> = {},
): Promise<Made> => {
  const folder = mkdtempSync(join(tmpdir(), "mailbox-vault-infra-"));
  try {
    cpSync(join(ROOT, "infra"), join(folder, "infra"), { recursive: true });
    const path = join(folder, snapshotPathOf(target));
    rmSync(path, { force: true });
    for (const [file, text] of Object.entries(changed)) writeFileSync(join(folder, file), text);
    const { findings } = await compile(compiler, folder, snapshotArguments(target, "overwrite"));
    try {
      return { findings, snapshot: readFileSync(path, "utf8") };
    } catch {
      return { findings, snapshot: undefined };
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
