import { setTimeout as delay } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import * as z from "zod";
import { azureBlobs } from "../../shared/storage/azure-blobs.ts";
import { readJson } from "../../shared/storage/blobs.ts";
import { eventually } from "../support/eventually.ts";
import { ADA, aStack, stopStacks, type TestStack } from "../support/stack.ts";
import { folderIds, itemsInNewFolders, mailboxLines, snapshotLines, streams } from "../support/stack-contents.ts";

afterAll(stopStacks);

/** Three chunks of a restore, for three lanes. */
const ITEMS = 120;
const NEW_ITEMS = 60;
const BYTES = 3_000;
const LANE_SECONDS = 1;

/**
 * The listing announces so much that every item is a batch of its own: an export request, as it is an import request.
 */
const ONE_BY_ONE = { behaviours: { sizeFactor: { min: 0.0001, max: 0.0001 } } };

test("a backup and a restore of one mailbox share its four slots, and the restore has the greater part", async () => {
  const stack = await aStack({
    clock: 20,
    graph: { mailboxes: [{ kind: "generated", userPrincipalName: ADA, items: ITEMS, bytes: { fixed: BYTES } }] },
    settings: { LANE_SECONDS: String(LANE_SECONDS) },
  });
  const original = streams(await stack.graph.items(ADA));
  const folders = await folderIds(stack, ADA);
  await stack.backUp(ADA);
  await stack.graph.run("settings", ONE_BY_ONE);
  await stack.graph.run("create-items", { mailbox: ADA, folder: "inbox", count: NEW_ITEMS, bytes: BYTES });
  const before = await mailboxLines(stack, ADA);
  await stack.graph.run("reset-counters");

  const allSlots = await stack.graph.addFault({ kind: "hold", endpoint: "export-items" });
  const backup = await stack.api.start("/api/backups", { mailboxes: [ADA] });
  await eventually("backup in all slots", async () => (await stack.graph.struck(allSlots)) === 4 || undefined);
  const restore = await stack.api.start("/api/restores", { mailbox: ADA, select: { all: true }, reason: "a test" });
  await eventually(
    "restore that waits",
    async () => (await usersOfSlots(stack)).includes("small-restore") || undefined,
  );
  // The wave that has all slots then ends with what it has begun, which is less than eight exports more.
  await delay(LANE_SECONDS * 1_000);
  const held = await Promise.all([
    stack.graph.addFault({ kind: "hold", endpoint: "export-items", after: 8 }),
    stack.graph.addFault({ kind: "hold", endpoint: "import-item" }),
  ]);
  const requests = () => Promise.all(held.map((fault) => stack.graph.struck(fault)));
  await stack.graph.run("clear-faults", { id: allSlots });
  await eventually("use of all slots", async () => (await requests()).reduce((a, b) => a + b) >= 4 || undefined);
  expect(await requests()).toEqual([1, 3]);
  expect((await stack.api.job(backup))?.state).toBe("running");
  await stack.graph.run("clear-faults");

  const restored = await stack.api.finish(restore);
  const backedUp = await stack.api.finish(backup);
  const { mailboxes } = Counters.parse(await stack.graph.counters());
  expect(Math.max(...Object.values(mailboxes).map(({ highestConcurrency }) => highestConcurrency))).toBe(4);
  expect(restored.result).toMatchObject({ imported: ITEMS, failed: 0, ambiguous: 0, missing: 0 });
  expect(streams(await itemsInNewFolders(stack, ADA, folders))).toEqual(original);
  expect(backedUp.result).toMatchObject({ complete: 1, partial: 0, failed: 0 });
  const saved = await snapshotLines(stack, ADA);
  expect(before).toHaveLength(ITEMS + NEW_ITEMS);
  expect(saved).toEqual(expect.arrayContaining(before));
  expect(new Set(saved).size).toBe(saved.length);
});

const Slots = z.object({ holders: z.record(z.string(), z.object({ user: z.string() })) });

/** What kinds of jobs hold slots of the mailbox, or wait for some. */
const usersOfSlots = async ({ work, keyOf }: TestStack): Promise<string[]> => {
  const slots = await readJson(azureBlobs(work), `slots/${await keyOf(ADA)}.json`, Slots);
  return Object.values(slots?.holders ?? {}).map(({ user }) => user);
};

const Counters = z.looseObject({
  mailboxes: z.record(z.string(), z.looseObject({ highestConcurrency: z.int() })),
});
