import { afterAll, expect, test } from "vitest";
import { ADA, aStack, stopStacks } from "../support/stack.ts";
import { folderIds, itemsInNewFolders, mailboxLines, snapshotLines, streams } from "../support/stack-contents.ts";

afterAll(stopStacks);

/** Several batches of a backup, and more than one chunk of a restore. */
const ITEMS = 80;

test("with every activity delivered twice at once, each item is backed up and restored once", async () => {
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
});

const deliveriesOf = (lines: readonly { text: string }[], activity: string): number =>
  lines.filter(({ text }) => text.includes(`Executing 'Functions.${activity}'`)).length;
