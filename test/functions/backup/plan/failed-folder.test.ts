import { describe, expect, test } from "vitest";
import { foldFindings } from "../../../../functions/backup/run-outcome.ts";
import type { FaultRule } from "../../../../local/graph/faults.ts";
import type { PageOddity } from "../../../../local/graph/oddities.ts";
import { readFolders } from "../../../../shared/vault/folders.ts";
import { readProblems } from "../../../../shared/vault/problems.ts";
import { readManifest } from "../../../../shared/vault/snapshots.ts";
import { aPlan, idsIn, type PlanKit } from "./a-plan.ts";

const snapshotOf = async ({ vault, mailbox }: PlanKit, id: string) => {
  const found = await readManifest(vault, mailbox.key, id);
  if (found === undefined) throw new Error(`There is no snapshot ${id}`);
  const { folders } = await readFolders(vault, mailbox.key, id);
  return { folders, problems: await readProblems(vault, found.manifest) };
};

/** Fails one folder: whichever asks first. */
const failOne = (kit: PlanKit, status: number, code: string) =>
  kit.fault({ kind: "status", endpoint: "items-delta", status, code, count: 1 } as FaultRule);

describe.each([
  [400, "ErrorInvalidRequest"],
  [403, "ErrorAccessDenied"],
  [404, "ErrorItemNotFound"],
])("a folder whose delta round is refused with %i %s", (status, code) => {
  test("fails alone: the snapshot is partial, says which, and removes nothing of it", async () => {
    const kit = await aPlan({ items: 30 });
    const first = await kit.backUp();
    await kit.admin["create-items"]({ mailbox: kit.mailbox.id, folder: "drafts", count: 2 });
    await failOne(kit, status, code);

    const broken = await kit.backUp();
    const mended = [await kit.backUp(), await kit.backUp()];

    const { folders, problems } = await snapshotOf(kit, broken.snapshotId);
    expect(broken.state).toBe("partial");
    expect(problems).toEqual([
      {
        folderId: expect.any(String),
        what: `the folder could not be read: Graph answered ${status} ${code} to GET items/delta`,
      },
    ]);
    const [failed] = folders.filter(({ deltaLink }) => deltaLink === undefined);
    expect(failed?.id).toBe(problems[0]?.folderId);
    expect(mended).toMatchObject([
      { state: "complete", quiet: false, items: first.items + 2 },
      { state: "complete", quiet: true },
    ]);
  });

  test("while nothing has changed makes one partial snapshot, and a complete one once it is mended", async () => {
    const kit = await aPlan({ items: 30 });
    await kit.backUp();
    await failOne(kit, status, code);

    const runs = [await kit.backUp(), await kit.backUp(), await kit.backUp()];

    expect(runs).toMatchObject([
      { state: "partial", quiet: false },
      { state: "complete", quiet: false },
      { state: "complete", quiet: true },
    ]);
  });
});

test.each<PageOddity>(["no-link", "repeats", "endless"])(
  "a folder whose pages stay broken fails, and the planner goes on to the next one: %s",
  async (oddity) => {
    const kit = await aPlan({ items: 30 });
    await kit.fault({ kind: "odd-page", endpoint: "items-delta", oddity } as FaultRule);
    await kit.open();

    await kit.plan(0, Number.POSITIVE_INFINITY);

    const { chunks, ids, removed } = await kit.outcome();
    const { finished, failed } = foldFindings(chunks);
    expect(failed.size).toBeGreaterThan(0);
    expect([...finished]).toEqual(await kit.outcome().then(({ folders }) => folders));
    expect({ ids, removed }).toEqual({ ids: await idsIn(kit), removed: [] });
  },
);

test("a run that could read none of the folders fails", async () => {
  const kit = await aPlan({ items: 30 });
  for (const endpoint of ["items", "items-delta"])
    await kit.fault({ kind: "status", endpoint, status: 403, code: "ErrorAccessDenied" } as FaultRule);

  await expect(kit.backUp()).rejects.toThrow("did not let run");
});

test.each([401, 403, 503])("an error of the whole mailbox fails the run: %i", async (status) => {
  const kit = await aPlan({ items: 30 });
  await kit.backUp();
  for (const endpoint of ["items-delta", "folder", "folders"])
    await kit.fault({ kind: "status", endpoint, status, code: "ErrorAccessDenied", retryAfter: 0 } as FaultRule);

  await expect(kit.backUp()).rejects.toMatchObject({ name: "GraphError", status });
});
