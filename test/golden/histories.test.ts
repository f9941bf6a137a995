import { describe, expect, test } from "vitest";
import { registeredApp } from "../support/registered-app.ts";
import { expectGolden, goldenNames } from "./golden.ts";
import { historyOf, type Scenario } from "./history.ts";
import { loadOrchestrators } from "./orchestrators.ts";
import { backup } from "./scenarios/backup.ts";
import { care } from "./scenarios/care.ts";
import { NAMES } from "./scenarios/people.ts";
import { requests } from "./scenarios/requests.ts";
import { restore } from "./scenarios/restore.ts";
import { undo } from "./scenarios/undo.ts";

const HISTORIES: Readonly<Record<string, Readonly<Record<string, Scenario>>>> = {
  ...backup,
  ...restore,
  ...undo,
  ...care,
  ...requests,
};

const BREAKS = "Runs in flight replay their history: see in CONTRIBUTING.md how an orchestrator may change";

const orchestrators = await loadOrchestrators();

describe("histories", () => {
  test("are kept of every registered orchestrator, and of nothing else", async () => {
    const registered = [...(await registeredApp()).functions.values()]
      .filter(({ metadata }) => Object.values(metadata.bindings).some(({ type }) => type === "orchestrationTrigger"))
      .map(({ metadata }) => metadata.name)
      .toSorted();

    expect(Object.keys(HISTORIES).toSorted(), "a new orchestrator needs scenarios").toEqual(registered);
    expect([...orchestrators.keys()].toSorted()).toEqual(registered);
  });

  test.each(Object.entries(HISTORIES))("of %s are as they were", async (name, scenarios) => {
    const orchestrator = orchestrators.get(name) ?? expect.fail("there is no such orchestrator");
    const histories: string[] = [];
    for (const [title, scenario] of Object.entries(scenarios))
      histories.push(`# ${title}\n\n${await historyOf(orchestrator, scenario, NAMES)}\n`);

    await expectGolden(`histories/${name}.txt`, histories.join("\n"), BREAKS);
  });

  test("lie beside this file, and no others", async () => {
    expect(await goldenNames("histories")).toEqual([...orchestrators.keys()].map((name) => `${name}.txt`).toSorted());
  });
});
