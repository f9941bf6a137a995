import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { mapBounded } from "../../shared/bounded.ts";
import { checkFreshness, checkRules, NOT_CHECKED } from "./check-infra.ts";
import { compileProject, makeSnapshot } from "./compile-project.ts";
import { findCompiler, HOW_TO_GET_IT } from "./compiler.ts";
import { type Finding, lineOf } from "./finding.ts";
import { openFiles, openProject, ROOT, registrations } from "./project.ts";
import { sourcesHash } from "./sources.ts";
import { snapshotPathOf, TARGETS } from "./targets.ts";

const USAGE = "Usage: npm run check:infra -- [--write] [--with-compiler]";

/** Makes every snapshot anew, with the hash of what it was made from. */
const write = async (compiler: string): Promise<readonly Finding[]> => {
  const files = openFiles();
  const made = await mapBounded(TARGETS, 2, async (target) => {
    const { findings, snapshot } = await makeSnapshot(compiler, target);
    if (snapshot === undefined) return findings;
    const sources = sourcesHash(files, target);
    const path = join(ROOT, snapshotPathOf(target));
    const made = JSON.parse(snapshot);
    // The compiler gives them in another order each time.
    const outputs = Object.fromEntries(Object.entries(made.outputs).sort(([one], [other]) => (one < other ? -1 : 1)));
    writeFileSync(path, `${JSON.stringify({ sources, ...made, outputs }, undefined, 2)}\n`);
    return findings;
  });
  return made.flat();
};

const main = async (): Promise<void> => {
  const { values } = parseArgs({ options: { write: { type: "boolean" }, "with-compiler": { type: "boolean" } } });
  const compiler = findCompiler();
  if (compiler === undefined && (values.write || values["with-compiler"])) {
    console.error(`Bicep's compiler is not here. Get it: ${HOW_TO_GET_IT}`);
    process.exitCode = 1;
    return;
  }
  const findings: Finding[] = [];
  if (values.write && compiler !== undefined) findings.push(...(await write(compiler)));
  const project = openProject(await registrations());
  findings.push(...checkFreshness(project), ...checkRules(project));
  if (compiler !== undefined) findings.push(...(await compileProject(compiler, { validate: !values.write })));

  for (const found of findings) console.error(lineOf(found));
  if (findings.length > 0) {
    process.exitCode = 1;
    return;
  }
  const count = project.snapshots.reduce((sum, { resources }) => sum + resources.length, 0);
  console.log(`The deployment is sound: ${project.snapshots.length} snapshots with ${count} resources.`);
  if (compiler === undefined)
    console.log(`Not checked: whether templates compile, and snapshots are of them. For that, ${HOW_TO_GET_IT}`);
  console.log("What no check here can know:");
  for (const line of NOT_CHECKED) console.log(`- ${line}`);
};

try {
  await main();
} catch (error) {
  if (!(error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS"))) throw error;
  console.error(`${error.message}\n${USAGE}`);
  process.exitCode = 2;
}
