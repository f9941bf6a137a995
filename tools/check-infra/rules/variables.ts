import * as z from "zod";
import { type Finding, finding } from "../finding.ts";
import type { Project } from "../project.ts";
import { EXAMPLES, parametersOf, TARGETS } from "../targets.ts";

const NEEDS = "infra/hooks/needs.json";
const Needs = z.strictObject({
  variables: z.record(z.string(), z.strictObject({ what: z.string(), example: z.string() })),
  providers: z.array(z.string()),
});

/** A variable that a parameter file reads, and whether it does without. */
const READ = /readEnvironmentVariable\('([A-Z_]+)'(,)?/g;

/** Checks that everything that a deployment needs from outside is said before it begins. */
export const checkVariables = (project: Project): Finding[] => {
  const { variables, providers } = Needs.parse(JSON.parse(project.text(NEEDS)));
  const reads = (path: string): { name: string; isNeeded: boolean }[] =>
    [...project.text(path).matchAll(READ)].map(([, name = "", comma]) => ({ name, isNeeded: comma === undefined }));
  const needed = reads("infra/main.bicepparam").filter(({ isNeeded }) => isNeeded);
  const used = new Set(
    project.snapshots.flatMap(({ resources }) => resources.map(({ type }) => type.split("/")[0] ?? "")),
  );
  return [
    ...TARGETS.flatMap((target) =>
      reads(parametersOf(target))
        .filter(({ name }) => EXAMPLES[name] === undefined)
        .map(({ name }) => finding(parametersOf(target), `there is no example of ${name}`)),
    ),
    ...needed
      .filter(({ name }) => variables[name] === undefined)
      .map(({ name }) => finding(NEEDS, `azd is not told of ${name}, which main.bicepparam reads`)),
    ...Object.keys(variables)
      .filter((name) => !needed.some((one) => one.name === name))
      .map((name) => finding(NEEDS, `main.bicepparam does not need ${name}`)),
    ...[...used]
      .filter((name) => !providers.includes(name))
      .map((name) => finding(NEEDS, `the provider ${name} is used`)),
    ...checkWorkflow(project, ".github/workflows/deploy.yml", reads("infra/prod.bicepparam")),
    ...checkWorkflow(project, ".github/workflows/plan.yml", reads("infra/prod.bicepparam")),
  ];
};

/** A workflow hands each variable on by name. */
const checkWorkflow = (
  project: Project,
  path: string,
  reads: readonly { name: string; isNeeded: boolean }[],
): Finding[] =>
  reads
    .filter(({ name }) => !new RegExp(`^\\s+${name}: \\$\\{\\{ vars\\.${name} \\}\\}$`, "m").test(project.text(path)))
    .map(({ name }) => finding(path, `does not hand ${name} on, which the parameters read`));
