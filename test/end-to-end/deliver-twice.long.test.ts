import { afterAll, expect, test } from "vitest";
import { ADA, aStack, stopStacks } from "../support/stack.ts";
import { folderIds, itemsInNewFolders, mailboxLines, snapshotLines, streams } from "../support/stack-contents.ts";

afterAll(stopStacks);

/** Several batches of a backup, and more than one chunk of a restore. */
const ITEMS = 80;

test("with every activity delivered twice at once, each item is backed up, restored and undone once", async () => {
  const stack = await aStack({
    deliverTwice: true,
    graph: { mailboxes: [{ kind: "generated", userPrincipalName: ADA, items: ITEMS, bytes: { fixed: 6_000 } }] },
  });
  const before = await mailboxLines(stack, ADA);
  const original = streams(await stack.graph.items(ADA));
  const folders = await folderIds(stack, ADA);

  await stack.backUp(ADA);
  expect(before).toHaveLength(ITEMS);
  expect(await snapshotLines(stack, ADA)).toEqual(before);

  const restored = await stack.restore({ mailbox: ADA, select: { all: true } });
  expect(restored.result).toMatchObject({ imported: ITEMS, failed: 0, ambiguous: 0, missing: 0 });
  expect(streams(await itemsInNewFolders(stack, ADA, folders))).toEqual(original);
  expect(deliveriesOf(stack.lines, "commit-snapshot")).toBe(2);
  expect(deliveriesOf(stack.lines, "upload-wave")).toBe(2);

  const undo = await stack.api.start(`/api/restores/${restored.id}/undo`, { reason: "a test" });
  expect((await stack.api.finish(undo)).result).toMatchObject({ deleted: ITEMS, alreadyGone: 0, folder: "removed" });
  expect(await itemsInNewFolders(stack, ADA, folders)).toEqual([]);
  expect(deliveriesOf(stack.lines, "remove-restored-folder")).toBe(2);
});

const deliveriesOf = (lines: readonly { text: string }[], activity: string): number =>
  lines.filter(({ text }) => text.includes(`Executing 'Functions.${activity}'`)).length;
