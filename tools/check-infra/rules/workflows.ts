import * as z from "zod";
import { type Finding, finding } from "../finding.ts";
import type { Project } from "../project.ts";
import { readYaml } from "../yaml.ts";

/** A third party's action runs with our tokens: its commit is pinned, with the version in a comment. */
const PINNED = /^\s*-?\s*uses: (\S+)@([0-9a-f]{40}) # v\d+(\.\d+)*$/;

const Text = z.string();
const Names = z.union([Text, z.array(Text)]);
const PermissionsGiven = z.partialRecord(
  z.enum(["contents", "id-token", "pull-requests", "attestations"]),
  z.enum(["read", "write", "none"]),
);
const Variables = z.record(Text, z.union([Text, z.boolean()]));

/**
 * The parts of the workflow syntax that are used. Source: docs.github.com/actions/reference/workflow-syntax (read
 * 2026-11).
 */
const Step = z
  .strictObject({
    name: Text.optional(),
    id: Text.optional(),
    if: Text.optional(),
    uses: Text.optional(),
    run: Text.optional(),
    with: Variables.optional(),
    env: Variables.optional(),
    shell: Text.optional(),
    "working-directory": Text.optional(),
  })
  .refine(({ uses, run }) => (uses === undefined) !== (run === undefined), { error: "a step either uses or runs" });

const Job = z.strictObject({
  name: Text.optional(),
  needs: Names.optional(),
  if: Text.optional(),
  "runs-on": Text,
  environment: Text.optional(),
  permissions: PermissionsGiven.optional(),
  "timeout-minutes": z.int().min(1),
  env: Variables.optional(),
  outputs: Variables.optional(),
  strategy: z.strictObject({ "fail-fast": z.boolean().optional(), matrix: z.record(Text, z.array(Text)) }).optional(),
  steps: z.array(Step).min(1),
});

const Trigger = z
  .strictObject({
    branches: z.array(Text).optional(),
    paths: z.array(Text).optional(),
    inputs: z.record(Text, z.record(Text, z.unknown())).optional(),
  })
  .nullable();

const Workflow = z.strictObject({
  name: Text,
  on: z.partialRecord(z.enum(["push", "pull_request", "workflow_dispatch", "workflow_call"]), Trigger),
  permissions: PermissionsGiven,
  concurrency: z.strictObject({ group: Text, "cancel-in-progress": z.boolean() }).optional(),
  env: Variables.optional(),
  jobs: z.record(Text, Job),
});

/** Checks the syntax of workflows, that actions are pinned by commit, and that jobs have only the rights they need. */
export const checkWorkflows = (project: Project): Finding[] =>
  project
    .list(".github/workflows")
    .filter((path) => path.endsWith(".yml"))
    .flatMap((path) => [...checkShape(path, project.text(path)), ...checkPins(path, project.text(path))]);

const checkShape = (path: string, text: string): Finding[] => {
  try {
    const { success, data, error } = Workflow.safeParse(readYaml(text));
    if (!success) return error.issues.map((issue) => finding(path, `${issue.path.join(".")}: ${issue.message}`));
    return Object.entries(data.jobs).flatMap(([name, job]) => [
      ...needsOf(job.needs)
        .filter((needed) => data.jobs[needed] === undefined)
        .map((needed) => finding(path, `${name} needs ${needed}, which is not a job`)),
      ...(job.permissions?.["id-token"] === "write" && job.environment === undefined
        ? [finding(path, `${name} may sign in to Azure outside of an environment`)]
        : []),
    ]);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [finding(path, error.message)];
  }
};

const needsOf = (needs: string | readonly string[] | undefined): readonly string[] =>
  typeof needs === "string" ? [needs] : (needs ?? []);

const checkPins = (path: string, text: string): Finding[] =>
  text
    .split("\n")
    .map((line, index) => ({ line, number: index + 1 }))
    .filter(({ line }) => /^\s*-?\s*uses:/.test(line) && !/uses: \.\//.test(line) && !PINNED.test(line))
    .map(({ number }) => finding(path, "an action is named by its commit, with its version as a comment", number));
