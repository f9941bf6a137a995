import { InvocationContext } from "@azure/functions";
import { describe, expect, test } from "vitest";
import { cleanMailbox } from "../../../functions/retention/clean-mailbox.orchestrator.ts";
import { cleanVault } from "../../../functions/retention/clean-vault.orchestrator.ts";
import { compactMailboxActivity } from "../../../functions/retention/compact-mailbox.activity.ts";
import { nightlyRetention } from "../../../functions/retention/nightly-retention.timer.ts";
import { retainMailboxActivity } from "../../../functions/retention/retain-mailbox.activity.ts";
import { retainMailboxesActivity } from "../../../functions/retention/retain-mailboxes.activity.ts";
import { compactMailbox, retainMailbox, retainMailboxes } from "../../../functions/retention/retention.contract.ts";
import { RetentionPolicy } from "../../../shared/retention-policy.ts";
import { headName } from "../../../shared/vault/names.ts";
import { moveHead, nameSnapshots } from "../../../shared/vault/snapshots.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aKey, aPut, snapshotAt } from "../../shared/vault/samples.ts";
import { runOrchestrator } from "../../support/run-orchestrator.ts";
import { writeHistory } from "../browse/a-vault.ts";
import { aFakeHub } from "../fake-hub.ts";
import { deliver } from "../kit.ts";

const LAST = RetentionPolicy.parse("last=2");
const NOTHING = { kept: 0, going: 0, compacted: 0, waiting: 0, removed: 0, removedBytes: 0, refused: 0 };
const otherKey = `${"b".repeat(26)}`;

const changes = (count: number) => Array.from({ length: count }, (_, n) => [[aPut({ changeKey: `${n}` })]]);

const aPlace = async (policy: RetentionPolicy | undefined = LAST, instances: Parameters<typeof aFakeHub>[0] = {}) => {
  const vault = memoryBlobs();
  await writeHistory(vault, changes(6));
  await writeHistory(vault, changes(3), { mailboxKey: otherKey });
  const { remove } = vault;
  return { vault, remove, state: memoryBlobs(), policy, laneBudgetMs: 600_000, ...aFakeHub(instances) };
};

describe("retain-mailbox", () => {
  test("does nothing at all without a policy", async () => {
    const place = { ...(await aPlace()), policy: undefined };
    const before = [...place.vault.blobs.keys()];

    expect(await deliver(retainMailboxActivity(place), retainMailbox, { mailboxKey: aKey })).toEqual({
      outcome: "no-policy",
      ...NOTHING,
    });
    expect([...place.vault.blobs.keys()]).toEqual(before);
    expect(place.state.blobs.size).toBe(0);
  });

  test("lists the blobs of expiring snapshots, but not of one that a live job uses", async () => {
    const input = { mailbox: { key: aKey, id: "m" }, snapshotId: snapshotAt(1) };
    const place = await aPlace(LAST, {
      "restore-1": { name: "restore-mailbox", runtimeStatus: "Running", input },
      "restore-2": {
        name: "restore-mailbox",
        runtimeStatus: "Completed",
        input: { ...input, snapshotId: snapshotAt(2) },
      },
      "restore-3": {
        name: "restore-mailbox",
        runtimeStatus: "Suspended",
        input: { ...input, mailbox: { key: otherKey, id: "o" } },
      },
    });

    const retained = await deliver(retainMailboxActivity(place), retainMailbox, { mailboxKey: aKey });
    expect(retained).toMatchObject({ outcome: "done", kept: 3, going: 3, removed: 0 });
    expect([...place.state.blobs.keys()]).toContain(`removals/${aKey}.json.gz`);
  });
});

describe("snapshots in use", () => {
  test("are all of a mailbox that is copied into a package", async () => {
    const place = await aPlace(LAST, {
      "personal-data-1": { name: "export-personal-data", runtimeStatus: "Running", input: { mailboxes: [otherKey] } },
    });
    const retainOne = (mailboxKey: string) => deliver(retainMailboxActivity(place), retainMailbox, { mailboxKey });

    expect(await retainOne(otherKey)).toMatchObject({ kept: 3, going: 0 });
    expect(await retainOne(aKey)).toMatchObject({ kept: 2, going: 4 });
  });

  test("are all of the vault while a list of restores is under way", async () => {
    const place = await aPlace(LAST, {
      "restores-20261122T010000Z-abc234": { name: "restore-mailboxes", runtimeStatus: "Suspended" },
    });

    expect(await deliver(retainMailboxActivity(place), retainMailbox, { mailboxKey: aKey })).toMatchObject({
      kept: 6,
      going: 0,
    });
  });
});

describe("retain-mailboxes", () => {
  test("goes through all mailboxes, and past a damaged one", async () => {
    const place = await aPlace();
    await place.vault.remove(headName(otherKey));
    await place.vault.create(headName(otherKey), Buffer.from("{"));

    expect(await deliver(retainMailboxesActivity(place), retainMailboxes, {})).toMatchObject({
      finished: true,
      mailboxes: 2,
      damaged: 1,
      failed: 0,
      compacted: 1,
    });
  });

  test("goes on behind the finished mailboxes", async () => {
    const place = { ...(await aPlace()), laneBudgetMs: 0 };
    let after: string | undefined;
    let calls = 0;
    for (let finished = false; !finished; calls += 1) {
      expect(calls).toBeLessThan(10);
      const laneBudgetMs = calls < 2 ? 0 : 600_000;
      const step = await deliver(
        retainMailboxesActivity({ ...place, laneBudgetMs }),
        retainMailboxes,
        after ? { after } : {},
      );
      ({ after, finished } = step);
    }

    expect((await nameSnapshots(place.vault, aKey)).bases).toEqual([snapshotAt(4)]);
    expect((await nameSnapshots(place.vault, otherKey)).bases).toEqual([snapshotAt(1)]);
  });
});

describe("compact-mailbox", () => {
  const compact = (vault: ReturnType<typeof memoryBlobs>) =>
    deliver(compactMailboxActivity({ vault }), compactMailbox, { mailboxKey: aKey });

  test("writes a base when the chain has outgrown one, once", async () => {
    const vault = memoryBlobs();
    await writeHistory(vault, changes(12));

    expect(await compact(vault)).toEqual({ outcome: "compacted", snapshotId: snapshotAt(11), records: 2 });
    expect(await compact(vault)).toEqual({ outcome: "not-due", snapshotId: snapshotAt(11), records: 0 });
  });

  test("has nothing to do in a mailbox without a snapshot", async () => {
    const vault = memoryBlobs();
    expect(await compact(vault)).toEqual({ outcome: "no-snapshot", records: 0 });
    await writeHistory(vault, changes(1));
    await vault.remove(headName(aKey));
    const { mailboxId, kind } = { mailboxId: "m", kind: "primary" as const };
    await moveHead(vault, aKey, () => ({
      v: 1,
      mailboxKey: aKey,
      mailboxId,
      kind,
      newest: null,
      checkedAt: "2026-11-22T00:00:00Z",
    }));
    expect(await compact(vault)).toEqual({ outcome: "no-snapshot", records: 0 });
  });

  test("reports a damaged chain", async () => {
    const vault = memoryBlobs();
    await writeHistory(vault, changes(12));
    await vault.remove([...vault.blobs.keys()].find((name) => name.includes(`/catalog/${snapshotAt(3)}/`)) ?? "");

    expect(await compact(vault)).toMatchObject({ outcome: "damaged" });
    expect((await nameSnapshots(vault, aKey)).bases).toEqual([]);
  });
});

describe("clean-mailbox", () => {
  test("goes on until a step is done, and adds up", async () => {
    const steps = [
      { ...NOTHING, outcome: "more", compacted: 1, waiting: 9 },
      { ...NOTHING, outcome: "more", removed: 5, removedBytes: 50, waiting: 4 },
      { ...NOTHING, outcome: "done", removed: 3, removedBytes: 30, waiting: 1, refused: 1 },
    ];
    const { calls, output } = await runOrchestrator(cleanMailbox, {
      input: { mailboxKey: aKey },
      activities: { "retain-mailbox": () => steps.shift() },
    });

    expect(calls).toEqual(Array.from({ length: 3 }, () => ({ name: "retain-mailbox", input: { mailboxKey: aKey } })));
    expect(output).toEqual({
      ...NOTHING,
      outcome: "done",
      compacted: 1,
      removed: 8,
      removedBytes: 80,
      waiting: 1,
      refused: 1,
    });
  });

  test("begins a new generation with what was done", async () => {
    const { calls, continuedAs } = await runOrchestrator(cleanMailbox, {
      input: { mailboxKey: aKey },
      activities: { "retain-mailbox": () => ({ ...NOTHING, outcome: "more", removed: 1 }) },
    });

    expect(calls).toHaveLength(20);
    expect(continuedAs).toMatchObject({ mailboxKey: aKey, before: { removed: 20 } });
  });
});

describe("clean-vault", () => {
  const STEP = { ...NOTHING, mailboxes: 4, held: 1, damaged: 0, failed: 0 };

  test("goes from mailbox to mailbox", async () => {
    const { calls, output } = await runOrchestrator(cleanVault, {
      input: {},
      activities: {
        "retain-mailboxes": ({ after }: { after?: string }) =>
          after === undefined ? { ...STEP, removed: 2, after: aKey, finished: false } : { ...STEP, finished: true },
      },
    });

    expect(calls.map(({ input }) => input)).toEqual([{}, { after: aKey }]);
    expect(output).toMatchObject({ mailboxes: 8, held: 2, removed: 2 });
  });

  test("begins a new generation behind the last mailbox", async () => {
    const { continuedAs } = await runOrchestrator(cleanVault, {
      input: {},
      activities: { "retain-mailboxes": () => ({ ...STEP, after: aKey, finished: false }) },
    });

    expect(continuedAs).toMatchObject({ after: aKey, before: { mailboxes: 80 } });
  });
});

describe("nightly-retention", () => {
  const tick = (place: Parameters<typeof nightlyRetention>[0]) =>
    nightlyRetention(place)({} as never, new InvocationContext({ logHandler: () => undefined }));

  test("starts one clean-up of the vault, if there is a policy", async () => {
    const place = await aPlace();
    for (const _ of ["a tick", "its double"]) await tick(place);
    expect(place.started).toEqual([{ name: "clean-vault", instanceId: "clean-vault", input: {} }]);

    const without = { ...(await aPlace()), policy: undefined };
    await tick(without);
    expect(without.started).toEqual([]);
  });
});
