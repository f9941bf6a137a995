import type { DurableClient, DurableOrchestrationStatus } from "durable-functions";
import { expect, test } from "vitest";
import { listProgress } from "../../../functions/restore/list-progress.ts";
import { aFakeHub } from "../fake-hub.ts";
import { aListed, aListId } from "./a-list.ts";

const LIST = `restores-${aListId}`;
const PLACE = `${LIST}-place-0`;
const JOB = `restore-${aListed(0).restoreId}`;

type Instances = NonNullable<Parameters<typeof aFakeHub>[0]>;

const progressOf = (customStatus: unknown, instances: Instances = {}) => {
  const createdTime = new Date("2026-11-22T01:00:00Z");
  const status = { instanceId: LIST, createdTime, customStatus } as DurableOrchestrationStatus;
  const client = aFakeHub(instances).clientOf({} as never) as Pick<DurableClient, "getStatus">;
  return listProgress(client, status, createdTime.getTime() + 60_000);
};

test("the status of an earlier version is read by the fields that the progress needs", async () => {
  const counts = { imported: 1, replaced: 2, ambiguous: 0, failed: 1, importedBytes: 30 };

  expect(
    await progressOf(
      { restores: 2, places: 1, earlier: "kept" },
      {
        [PLACE]: {
          runtimeStatus: "Running",
          customStatus: {
            ...{ complete: 1, partial: 0, failed: 0, running: JOB },
            items: { imported: 5, replaced: 0, bytes: 50 },
          },
        },
        [JOB]: { runtimeStatus: "Running", customStatus: { items: 8, ...counts } },
      },
    ),
  ).toEqual({
    ...{ restores: 2, places: 1, earlier: "kept" },
    ...{ complete: 1, partial: 0, failed: 0, imported: 6, replaced: 2, bytes: 80 },
    ...{ waiting: 0, running: [JOB], etaSeconds: 20 },
  });
});

test("a place with a status that cannot be read is left out of the sums", async () => {
  const place = { runtimeStatus: "Running", customStatus: { complete: "many" } };

  expect(await progressOf({ restores: 2, places: 1 }, { [PLACE]: place })).toMatchObject({ complete: 0, waiting: 2 });
});

test("a list with a status that cannot be read shows it as it is", async () => {
  expect(await progressOf({ phase: "of another version" })).toEqual({ phase: "of another version" });
});
