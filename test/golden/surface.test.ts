import { beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { ENDPOINTS } from "../../functions/endpoints.ts";
import { packageName } from "../../functions/personal-data/package-names.ts";
import type { App } from "../../local/host/worker/app.ts";
import { readConfig } from "../../shared/config.ts";
import * as ids from "../../shared/contracts/job-ids.ts";
import type { ActivityContract } from "../../shared/durable/activity.ts";
import { ROLES } from "../../shared/security/principal.ts";
import { registeredApp } from "../support/registered-app.ts";
import { expectGolden, goldenNames } from "./golden.ts";
import { problemTypes, textsOf } from "./problem-types.ts";
import { writer } from "./readable.ts";
import { people, RUN, SNAPSHOT } from "./scenarios/people.ts";
import { shapeOf } from "./shape.ts";
import { appSources } from "./sources.ts";

const BREAKS = "Adding a line is compatible. Removing or changing one breaks callers, deployments, or runs in flight";

const Binding = z.looseObject({
  type: z.string(),
  route: z.string().optional(),
  methods: z.array(z.string()).optional(),
  schedule: z.string().optional(),
});

/** What ids of jobs begin with, where that is not the name of an orchestrator. */
const JOB_WORDS =
  "backup clean follow-up leaver personal-data rehearsal restore restores translate undo verify verify-share".split(
    " ",
  );

let app: App;
let sources: ReadonlyMap<string, string>;

beforeAll(async () => {
  app = await registeredApp();
  sources = await textsOf(await appSources());
});

const triggers = () =>
  [...app.functions.values()].map(({ metadata: { name, bindings } }) => {
    const trigger = Object.values(bindings)
      .map((binding) => Binding.parse(binding))
      .find(({ type }) => type.endsWith("Trigger"));
    return { name, trigger: trigger ?? expect.fail(`${name} has no trigger`) };
  });

const namesOf = (type: string): string[] =>
  triggers()
    .filter(({ trigger }) => trigger.type === type)
    .map(({ name }) => name);

const expectLines = (name: string, lines: readonly string[]): Promise<void> =>
  expectGolden(`surface/${name}.txt`, `${lines.toSorted().join("\n")}\n`, BREAKS);

describe("what others hold the app to", () => {
  test("its functions, by name, trigger, and who may call", async () => {
    const callersOf = new Map<string, readonly string[] | string>(
      Object.entries(ENDPOINTS).map(([name, { callers }]) => [name, callers]),
    );
    await expectLines(
      "functions",
      triggers().map(({ name, trigger: { type, methods, route, schedule } }) => {
        const kind = type.replace(/Trigger$/, "");
        if (kind !== "http") return [kind, name, ...(schedule === undefined ? [] : [`at ${schedule}`])].join(" ");
        const callers = callersOf.get(name) ?? expect.fail(`${name} is not among the endpoints`);
        return `http ${methods?.join(",")} /api/${route} ${name}, for ${[callers].flat().join(", ")}`;
      }),
    );
  });

  test("app roles", () => expectLines("roles", ROLES));

  test("the shapes of what crosses into an activity and back, and how often one is tried", async () => {
    const contracts = new Map<string, ActivityContract>();
    for (const [file, text] of sources) {
      if (!text.includes("defineActivity(")) continue;
      const exported: object = await import(file);
      for (const value of Object.values(exported)) if (isContract(value)) contracts.set(value.name, value);
    }
    expect([...contracts.keys()].toSorted()).toEqual(namesOf("activityTrigger").toSorted());

    const write = writer({});
    const texts = [...contracts.values()].map(({ name, input, output, retry }) =>
      [
        write(`${name} takes`, shapeOf(input, "input")),
        write(`${name} returns`, shapeOf(output, "output")),
        `${name} is tried ${retry.attempts} times, after ${retry.firstIntervalMs} ms, x${retry.backoff}`,
      ].join("\n"),
    );
    await expectLines("activities", texts);
  });

  test("the types of the problems that it answers", async () => {
    await expectLines("problems", await problemTypes([...sources.keys()]));
  });

  test("the settings that it reads, and the host for it", async () => {
    const read = new Set<string>();
    const nothing = new Proxy<Record<string, string>>(
      {},
      {
        get: (_, name) => void read.add(String(name)),
        has: (_, name) => {
          read.add(String(name));
          return false;
        },
      },
    );
    expect(() => readConfig(nothing)).toThrow("cannot start");
    for (const { trigger } of triggers())
      for (const [, name = ""] of trigger.schedule?.matchAll(/%(\w+)%/g) ?? []) read.add(name);

    await expectLines("settings", [...read]);
  });

  test("containers", async () => {
    const calls = [...sources].flatMap(([file, text]) =>
      [...text.matchAll(/getContainerClient\(("[^"]*")?/g)].map(([, literal]) => ({ file, literal })),
    );
    const computed = calls.filter(({ literal }) => literal === undefined).map(({ file }) => file);
    expect(new Set(computed).size, "one file computes names: those of packages").toBe(1);

    const named = calls.flatMap(({ literal }) => (literal === undefined ? [] : [literal.slice(1, -1)]));
    await expectLines("containers", [...named, packageName(RUN), packageName(RUN, 2)]);
  });

  test("instance ids, and which of them are ids of jobs", async () => {
    const { key } = people.ada;
    const instances = [
      ids.backupTenantInstance(),
      ids.placeInstance(2, ids.backupTenantInstance()),
      ids.placeInstance(2, ids.restoresInstance(RUN)),
      ids.backupInstance(key),
      ids.cleanInstance(key),
      ids.cleanVaultInstance(),
      ids.tidyWorkInstance(),
      ids.restoreInstance(RUN),
      ids.restoresInstance(RUN),
      ids.followUpInstance(key, SNAPSHOT),
      ids.leaverInstance(key),
      ids.rehearsalInstance("2026-11-22"),
      ids.verifyInstance(key),
      ids.verifyShareInstance("2026-11-22"),
      ids.personalDataInstance(RUN),
      ids.translationInstance(RUN),
    ];
    await expectLines(
      "instance-ids",
      instances.map((id) => `${id} is ${ids.JobId.safeParse(id).success ? "a job" : "no job of its own"}`),
    );
  });

  test("the ids that are taken for those of jobs", async () => {
    const words = [...namesOf("orchestrationTrigger"), ...JOB_WORDS];
    const parts = { "": [], KEY: [people.ada.key], RUN: [RUN], DATE: ["2026-11-22"], NUMBER: ["2"], WORD: ["ada"] };
    const endings = Object.entries(parts).flatMap(([name, part]) =>
      Object.entries(parts).map(([more, another]) => ({
        form: [name, more].filter(Boolean),
        ending: [...part, ...another],
      })),
    );
    const accepted = words.flatMap((word) =>
      endings
        .filter(({ ending }) => ids.JobId.safeParse([word, ...ending].join("-")).success)
        .map(({ form }) => [word, ...form].join("-")),
    );
    await expectLines("job-ids", [...new Set(accepted)]);
  });

  test("lie beside this file, and no others", async () => {
    expect(await goldenNames("surface")).toEqual([
      "activities.txt",
      "containers.txt",
      "functions.txt",
      "instance-ids.txt",
      "job-ids.txt",
      "problems.txt",
      "roles.txt",
      "settings.txt",
    ]);
  });
});

const isContract = (value: unknown): value is ActivityContract =>
  typeof value === "object" && value !== null && "retry" in value && "input" in value && "output" in value;
