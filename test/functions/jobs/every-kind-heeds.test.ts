import { describe, expect, test } from "vitest";
import { JOBS } from "../../../functions/jobs.ts";
import { beginAgain, type Scenario } from "../../golden/history.ts";
import { loadOrchestrators } from "../../golden/orchestrators.ts";
import { backup } from "../../golden/scenarios/backup.ts";
import { care } from "../../golden/scenarios/care.ts";
import { requests } from "../../golden/scenarios/requests.ts";
import { restore } from "../../golden/scenarios/restore.ts";
import { undo } from "../../golden/scenarios/undo.ts";
import { runOrchestrator, runToEnd } from "../../support/run-orchestrator.ts";

const SCENARIOS: Readonly<Record<string, Readonly<Record<string, Scenario>>>> = {
  ...backup,
  ...restore,
  ...undo,
  ...care,
  ...requests,
};

/** Those that only wait for their parts, which heed what they are told; a rehearsal cleans up in any case. */
const BY_PARTS = ["backup-tenant", "restore-mailboxes", "run-rehearsal"];
const KINDS = Object.keys(JOBS).filter((kind) => !BY_PARTS.includes(kind));

/** Those that write a report in any case, and what tells its writer. */
const REPORTS: Readonly<Record<string, object>> = {
  "reconcile-restore": { input: { stopped: { reason: "cancelled" } } },
  "report-undo": { input: { isCancelled: true } },
};

const orchestrators = await loadOrchestrators();
const aRun = (kind: string, told: () => string) => {
  beginAgain();
  const [scenario = expect.fail(`${kind} has no scenario`)] = Object.values(SCENARIOS[kind] ?? {});
  const handler = orchestrators.get(kind) ?? expect.fail(`there is no ${kind}`);
  const activities = { ...scenario.activities, "read-wish": () => ({ wish: told() }) };
  return { handler, options: { ...scenario, activities } };
};

describe("a job of every kind", () => {
  test.each(KINDS)("ends as cancelled, and asks nobody for anything more: %s", async (kind) => {
    const { handler, options } = aRun(kind, () => "cancel");
    const { output, calls } = await runToEnd(handler, options);

    const [report, ...others] = calls.filter(({ name }) => name !== "read-wish" && name !== "share-slots");
    expect(others).toEqual([]);
    if (report === undefined) expect(output).toMatchObject({ stopped: { reason: "cancelled" } });
    else expect(report).toMatchObject(REPORTS[report.name] ?? expect.fail(report.name));
  });

  test.each(KINDS)("shows that it is paused, and does nothing: %s", async (kind) => {
    const { handler, options } = aRun(kind, () => "pause");
    const { customStatuses, calls, timers, continuedAs } = await runOrchestrator(handler, options);

    expect(customStatuses.at(-1)).toMatchObject({ paused: true });
    expect(calls.map(({ name }) => name)).toEqual(["read-wish"]);
    expect(timers).toEqual([15 * 60_000]);
    expect(continuedAs).toMatchObject(options.input as object);
  });

  test.each(KINDS)("comes to the same end after a pause: %s", async (kind) => {
    const asIs = aRun(kind, () => "go-on");
    const whole = await runToEnd(asIs.handler, asIs.options).catch(String);
    let looks = 0;
    const paused = aRun(kind, () => {
      looks += 1;
      return looks % 2 === 1 ? "pause" : "go-on";
    });
    const rested = await runToEnd(paused.handler, paused.options).catch(String);

    const endOf = (run: typeof whole) =>
      JSON.stringify(typeof run === "string" ? run : run.output).replaceAll(/\d{8}T\d{6}Z-\w{6}/g, "a run");
    expect(endOf(rested)).toEqual(endOf(whole));
  });
});
