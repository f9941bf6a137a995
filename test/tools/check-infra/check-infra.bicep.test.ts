import { beforeAll, describe, expect, test } from "vitest";
import { checkRules } from "../../../tools/check-infra/check-infra.ts";
import { makeSnapshot } from "../../../tools/check-infra/compile-project.ts";
import { findCompiler, HOW_TO_GET_IT } from "../../../tools/check-infra/compiler.ts";
import { lineOf } from "../../../tools/check-infra/finding.ts";
import { openProject, type Project, type Registered, registrations } from "../../../tools/check-infra/project.ts";
import { snapshotPathOf, TARGETS } from "../../../tools/check-infra/targets.ts";
import { TEMPLATE_MISTAKES } from "./template-mistakes.ts";

const compiler = findCompiler() ?? "";
let functions: readonly Registered[];
let sound: Project;

beforeAll(async () => {
  expect(compiler, `Bicep's compiler: ${HOW_TO_GET_IT}`).not.toBe("");
  functions = await registrations();
  sound = openProject(functions);
});

describe("npm run check:infra, with Bicep's compiler", () => {
  test.concurrent.for([...TEMPLATE_MISTAKES])(
    "finds %s",
    async ([_, name, path, passage, instead, found], { expect }) => {
      const target = TARGETS.find((one) => one.name === name) ?? expect.fail(`there is no ${name}`);
      const text = sound.text(path);
      const mistaken = text.replace(passage, () => instead);
      expect(mistaken, `${path} has no such passage, so that nothing was seeded`).not.toBe(text);

      const { findings, snapshot } = await makeSnapshot(compiler, target, { [path]: mistaken });
      const changed = { [path]: mistaken, ...(snapshot !== undefined && { [snapshotPathOf(target)]: snapshot }) };
      const lines = [...findings, ...checkRules(openProject(functions, changed))].map(lineOf);
      expect(lines).toContainEqual(expect.stringMatching(found));
    },
  );
});
