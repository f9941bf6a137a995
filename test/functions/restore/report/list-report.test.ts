import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { getReport } from "../../../../functions/restore/report/get-report.http.ts";
import { keepRestoreReport } from "../../../../functions/restore/report/restore-report.ts";
import { keepListCall } from "../../../../functions/restore/request/list-request-state.ts";
import { keepRefused } from "../../../../functions/restore/request/resolved-list-state.ts";
import { keepRestoreList } from "../../../../functions/restore/restore-list-state.ts";
import { NO_ITEMS } from "../../../../functions/restore/restored-items.steps.ts";
import { memoryBlobs } from "../../../shared/storage/memory-blobs.ts";
import { aFakeHub, ask } from "../../fake-hub.ts";
import { aListed, aListId, aPlan, aResult } from "../a-list.ts";

const LIST = `restores-${aListId}`;
const jobOf = (n: number): string => `restore-${aListed(n).restoreId}`;

type Instances = NonNullable<Parameters<typeof aFakeHub>[0]>;

/** A list of six restores, and their instances in the task hub. */
const anApi = async (instances: Instances = {}, { dryRun = false } = {}) => {
  const work = memoryBlobs();
  const list = [[0, 1], [2], [3], [4], [5]].map((queue) => queue.map((n) => aListed(n, { dryRun })));
  await keepRestoreList(work, aListId, list);
  const get = (headers: Record<string, string> = {}) =>
    ask(getReport({ ...aFakeHub(instances), work }), { params: { id: LIST }, headers });
  return { work, get };
};

const completed = (output: unknown) => ({ name: "restore-mailbox", runtimeStatus: "Completed", output });

const halfWay: Instances = {
  [LIST]: { name: "restore-mailboxes", runtimeStatus: "Running" },
  [jobOf(0)]: completed(aResult()),
  [jobOf(1)]: { name: "restore-mailbox", runtimeStatus: "Running" },
  [jobOf(2)]: completed(aResult({ imported: 3, missing: 2, surplus: 3 })),
  [jobOf(3)]: { name: "restore-mailbox", runtimeStatus: "Failed", output: "Graph answered 403" },
  [jobOf(4)]: { name: "restore-mailbox", runtimeStatus: "Terminated" },
};

describe("GET /api/restores/{id}/report, of a list", () => {
  test("has the outcome of each restore, and the sum of those that ended, while others wait", async () => {
    const { get } = await anApi(halfWay);

    const { status, body } = await get();

    const facts = (n: number) => {
      const { mailbox, snapshotId } = aListed(n);
      return { job: jobOf(n), mailbox: mailbox.key, into: mailbox.key, snapshot: snapshotId };
    };
    expect([status, body]).toEqual([
      200,
      {
        v: 1,
        job: LIST,
        state: "running",
        dryRun: false,
        outcomes: { complete: 1, partial: 1, running: 1, failed: 1, cancelled: 1, waiting: 1 },
        items: { ...NO_ITEMS, planned: 10, imported: 8, present: 4, missing: 2, bytes: 100, surplus: 3 },
        restores: [
          { ...facts(0), outcome: "complete", items: { ...aResult(), planned: 5, surplus: 0 } },
          { ...facts(1), outcome: "running" },
          {
            ...facts(2),
            outcome: "partial",
            items: { ...aResult({ imported: 3, missing: 2, surplus: 3 }), planned: 5 },
          },
          { ...facts(3), outcome: "failed", error: "Graph answered 403" },
          { ...facts(4), outcome: "cancelled" },
          { ...facts(5), outcome: "waiting" },
        ],
      },
    ]);
  });

  test("counts the restores that a cancelled list did not start", async () => {
    const { get } = await anApi({ ...halfWay, [LIST]: { name: "restore-mailboxes", runtimeStatus: "Terminated" } });

    expect((await get()).body).toMatchObject({ state: "cancelled", outcomes: { "not-started": 1 } });
  });

  test("has what a dry run would do", async () => {
    const { get } = await anApi({ [jobOf(0)]: completed(aPlan) }, { dryRun: true });

    expect((await get()).body).toMatchObject({
      dryRun: true,
      restores: [{ outcome: "complete", items: { planned: 7, present: 2, imported: 0 } }, {}, {}, {}, {}, {}],
    });
  });

  test("reads the reports of restores whose history is gone", async () => {
    const { work, get } = await anApi();
    const { restoreId, mailbox } = aListed(2);
    const times = { started: "2026-11-22T09:00:00Z", finished: "2026-11-22T09:01:00Z" };
    await keepRestoreReport(work, {
      ...{ v: 1, restoreId, mailbox: mailbox.key, ...times },
      ...{ counts: aResult(), folders: [], items: [] },
    });

    expect((await get()).body).toMatchObject({
      state: "unknown",
      outcomes: { complete: 1, "not-started": 5 },
      items: { imported: 5 },
    });
  });

  test("has one row for each restore as CSV", async () => {
    const { get } = await anApi(halfWay);

    const { text } = await get({ accept: "text/csv" });

    const { mailbox, snapshotId } = aListed(3);
    const [header, ...rows] = text.trimEnd().split("\r\n");
    expect(header).toBe(
      "job,mailbox,into,snapshot,outcome," +
        "planned,imported,replaced,present,ambiguous,failed,missing,bytes,surplus,error",
    );
    expect(rows).toHaveLength(6);
    expect(rows[3]).toBe(`${jobOf(3)},${mailbox.key},${mailbox.key},${snapshotId},failed,,,,,,,,,,Graph answered 403`);
  });

  test("has the restores of a list that is refused, and why, also as CSV", async () => {
    const work = memoryBlobs();
    const restoreIds = [0, 1, 2].map((n) => aListed(n).restoreId);
    const call = { at: "2026-11-22T09:00:00Z", principal: randomUUID(), roles: [], dryRun: true, reason: "a test" };
    await keepListCall(work, aListId, { ...call, restoreIds }, []);
    const problem = { type: "/problems/mailbox-not-found", title: "mailbox not found", status: 404, detail: "None." };
    await keepRefused(work, aListId, [{ position: 1, ...problem }]);
    const hub = aFakeHub({ [LIST]: { name: "restore-mailboxes", runtimeStatus: "Failed" } });
    const get = (headers: Record<string, string> = {}) =>
      ask(getReport({ ...hub, work }), { params: { id: LIST }, headers });

    expect((await get()).body).toEqual({
      ...{ v: 1, job: LIST, state: "failed", dryRun: true, items: NO_ITEMS },
      outcomes: { refused: 1, "not-started": 2 },
      restores: [
        { job: jobOf(0), outcome: "not-started" },
        { job: jobOf(1), outcome: "refused", error: "None." },
        { job: jobOf(2), outcome: "not-started" },
      ],
      refused: [{ position: 1, ...problem }],
    });
    expect((await get({ accept: "text/csv" })).text).toContain(`${jobOf(1)},,,,refused,,,,,,,,,,None.`);
  });

  test("answers 404 for a list that does not exist, or has expired", async () => {
    const { work, get } = await anApi();
    work.blobs.clear();

    expect(await get()).toMatchObject({ status: 404, body: { type: "/problems/restore-not-found" } });
  });
});
