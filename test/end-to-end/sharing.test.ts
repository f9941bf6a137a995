import { setTimeout as delay } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import * as z from "zod";
import { ADA, aStack, stopStacks, type TestStack } from "../support/stack.ts";
import { folderIds, itemsInNewFolders, mailboxLines, snapshotLines, streams } from "../support/stack-contents.ts";

afterAll(stopStacks);

const ITEMS = 400;

test("a backup and a restore of one mailbox share its four slots, the restore with the greater part", async () => {
  const stack = await aStack({
    graph: {
      mailboxes: [{ kind: "generated", userPrincipalName: ADA, items: ITEMS, bytes: { fixed: 2_000 } }],
      settings: { latencyMs: 250 },
    },
    settings: { LANE_SECONDS: "2" },
  });
  const original = streams(await stack.graph.items(ADA));
  const folders = await folderIds(stack, ADA);
  await stack.backUp(ADA);
  const before = await mailboxLines(stack, ADA);
  expect(await snapshotLines(stack, ADA)).toEqual(before);
  await stack.graph.run("reset-counters");

  const restore = await stack.api.start("/api/restores", { mailbox: ADA, select: { all: true } });
  const backup = await stack.api.start("/api/backups", { mailboxes: [ADA], full: true });
  const shared = await whileBothMove(stack, restore, backup);
  const [restored, backedUp] = await Promise.all([stack.api.finish(restore), stack.api.finish(backup)]);

  expect(await highestConcurrency(stack)).toBeLessThanOrEqual(4);
  expect(shared.imports).toBeGreaterThan(shared.exports);
  expect(shared.exports).toBeGreaterThan(0);
  expect(restored.result).toMatchObject({ imported: ITEMS, failed: 0, ambiguous: 0, missing: 0 });
  expect(backedUp.result).toMatchObject({ complete: 1, partial: 0, failed: 0 });
  expect(streams(await itemsInNewFolders(stack, ADA, folders))).toEqual(original);
});
