import { describe, expect, test } from "vitest";
import { VaultDamageError } from "../../../shared/vault/damage.ts";
import type { Head } from "../../../shared/vault/head.ts";
import { headName, manifestName } from "../../../shared/vault/names.ts";
import {
  findSnapshotAt,
  listMailboxes,
  listSnapshots,
  moveHead,
  readHead,
  readManifest,
  walkToBase,
  writeManifest,
} from "../../../shared/vault/snapshots.ts";
import { memoryBlobs } from "../storage/memory-blobs.ts";
import { aKey, all, aManifest, snapshotAt } from "./samples.ts";

const aHead = (n: number, checkedAt: string): Head => ({
  v: 1,
  mailboxKey: aKey,
  mailboxId: "MBX:e0643f21@a7809c93",
  kind: "primary",
  newest: {
    id: snapshotAt(n),
    manifestSha256: "0".repeat(64),
    finished: "2026-11-22T01:02:00Z",
    state: "complete",
    items: n,
    bytes: n,
    failed: 0,
  },
  checkedAt,
});

const aChain = async (blobs: ReturnType<typeof memoryBlobs>, length: number): Promise<void> => {
  let parent: { id: string; sha256: string } | null = null;
  for (let n = 0; n < length; n += 1) {
    const id = snapshotAt(n);
    const { sha256 } = await writeManifest(blobs, aManifest({ id, parent, base: n === 0 }));
    parent = { id, sha256 };
  }
};

describe("manifests", () => {
  test("are written once, and a second writer gets the first one's", async () => {
    const blobs = memoryBlobs();
    const first = await writeManifest(blobs, aManifest());
    const second = await writeManifest(blobs, aManifest({ finished: "2026-11-22T02:00:00Z" }));

    expect(first.outcome).toBe("created");
    expect(second).toEqual({ ...first, outcome: "exists" });
  });

  test("are undefined when there is none", async () => {
    expect(await readManifest(memoryBlobs(), aKey, snapshotAt(0))).toBeUndefined();
  });

  test("are refused under the name of another", async () => {
    const blobs = memoryBlobs();
    await aChain(blobs, 1);
    const copied = blobs.blobs.get(manifestName(aKey, snapshotAt(0)))?.body ?? Buffer.alloc(0);
    await blobs.create(manifestName(aKey, snapshotAt(7)), copied);

    await expect(readManifest(blobs, aKey, snapshotAt(7))).rejects.toThrow(VaultDamageError);
  });

  test("are listed oldest first, by mailbox, without other blobs", async () => {
    const blobs = memoryBlobs();
    await aChain(blobs, 3);
    for (const name of [`${aKey}/snapshots/readme.txt`, "lost+found/x", "top"]) await blobs.create(name, Buffer.of());

    expect(await all(listSnapshots(blobs, aKey))).toEqual([0, 1, 2].map(snapshotAt));
    expect(await all(listMailboxes(blobs))).toEqual([aKey]);
  });
});

describe("the chain of manifests", () => {
  test("is walked from the snapshot to its base", async () => {
    const blobs = memoryBlobs();
    await aChain(blobs, 4);

    const walked = await all(walkToBase(blobs, aKey, snapshotAt(2)));
    expect(walked.map(({ manifest }) => manifest.id)).toEqual([2, 1, 0].map(snapshotAt));
  });

  test("breaks where history was rewritten", async () => {
    const blobs = memoryBlobs();
    await aChain(blobs, 3);
    await blobs.remove(manifestName(aKey, snapshotAt(0)));
    await writeManifest(blobs, aManifest({ id: snapshotAt(0), program: "forged" }));

    const walking = all(walkToBase(blobs, aKey, snapshotAt(2)));
    await expect(walking).rejects.toThrow(VaultDamageError);
    await expect(walking).rejects.toThrow(manifestName(aKey, snapshotAt(0)));
  });

  test("breaks where a manifest is missing", async () => {
    const blobs = memoryBlobs();
    await aChain(blobs, 3);
    await blobs.remove(manifestName(aKey, snapshotAt(1)));

    await expect(all(walkToBase(blobs, aKey, snapshotAt(2)))).rejects.toThrow("the manifest is missing");
  });
});

describe("the head", () => {
  test("is absent before the first backup", async () => {
    expect(await readHead(memoryBlobs(), aKey)).toBeUndefined();
  });

  test("never goes back, in any order of writers", async () => {
    const blobs = memoryBlobs();
    await moveHead(blobs, aKey, () => aHead(5, "2026-11-22T05:00:00Z"));
    await moveHead(blobs, aKey, () => aHead(4, "2026-11-22T04:00:00Z"));
    await moveHead(blobs, aKey, () => ({ ...aHead(4, "2026-11-22T04:00:00Z"), newest: null }));

    expect(await readHead(blobs, aKey)).toEqual(aHead(5, "2026-11-22T05:00:00Z"));
  });

  test("keeps both of two changes at the same time", async () => {
    const blobs = memoryBlobs();
    await moveHead(blobs, aKey, () => aHead(1, "2026-11-22T01:00:00Z"));
    const hold = { since: "2026-11-22T02:00:00Z", reason: "user-deleted" };
    const checked = aHead(1, "2026-11-22T03:00:00Z");
    await Promise.all([
      moveHead(blobs, aKey, (head) => ({ ...(head ?? checked), hold })),
      moveHead(blobs, aKey, (head) => ({ ...(head ?? checked), checkedAt: checked.checkedAt })),
    ]);

    expect(await readHead(blobs, aKey)).toEqual({ ...aHead(1, "2026-11-22T03:00:00Z"), hold });
  });

  test("is the only blob ever replaced", async () => {
    const blobs = memoryBlobs();
    await aChain(blobs, 2);
    await moveHead(blobs, aKey, () => aHead(1, "2026-11-22T01:00:00Z"));

    expect(blobs.writes.every((write) => write.startsWith("create"))).toBe(true);
    expect(await blobs.info(headName(aKey))).toBeDefined();
  });
});

describe("findSnapshotAt", () => {
  test.each([
    ["2026-11-22T01:00:00Z", undefined],
    ["2026-11-22T01:00:01Z", 0],
    ["2026-11-22T02:00:01.999+01:00", 1],
    ["2026-11-23", 2],
    ["9999-12-31T23:59:59-14:00", 2],
    ["0000-01-01T00:00:00+14:00", undefined],
  ])("finds the newest snapshot that had begun by %s", async (moment, n) => {
    const blobs = memoryBlobs();
    await aChain(blobs, 3);

    expect(await findSnapshotAt(blobs, aKey, moment)).toBe(n === undefined ? undefined : snapshotAt(n));
  });

  test("finds none in a mailbox without snapshots", async () => {
    expect(await findSnapshotAt(memoryBlobs(), aKey, "2026-11-23")).toBeUndefined();
  });
});
