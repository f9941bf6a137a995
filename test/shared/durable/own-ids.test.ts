import type { OrchestrationContext } from "durable-functions";
import { describe, expect, test } from "vitest";
import { RunId } from "../../../shared/contracts/ids.ts";
import { ownGuid, ownRunId } from "../../../shared/durable/own-ids.ts";
import { pause } from "../../../shared/durable/pause.ts";
import { runOrchestrator } from "../../support/run-orchestrator.ts";

/** Makes some ids in one turn, which every instance of the harness takes at the same millisecond. */
function* ids(context: OrchestrationContext) {
  yield* pause(context, 1_000);
  return [ownRunId(context, "run"), ownRunId(context, "run"), ownGuid(context, "slots"), ownGuid(context, "other")];
}

const idsOf = async (instanceId: string) =>
  (await runOrchestrator(ids, { input: {}, activities: {}, instanceId })).output as string[];

describe("ids of an orchestrator's own", () => {
  test("differ between instances that begin in one millisecond", async () => {
    const all = await Promise.all(Array.from({ length: 200 }, (_, n) => idsOf(`backup-${n}`)));

    expect(new Set(all.flat()).size).toBe(all.flat().length);
    for (const [run = ""] of all) expect(RunId.safeParse(run).success).toBe(true);
  });

  test("are the same when an instance is replayed", async () => {
    expect(await idsOf("backup-1")).toEqual(await idsOf("backup-1"));
  });
});
