import { afterAll, expect, test } from "vitest";
import * as z from "zod";
import { ADA, aStack, eventually, stopStacks, type TestStack } from "../support/stack.ts";
import { folderIds, itemsInNewFolders, mailboxLines, snapshotLines, streams } from "../support/stack-contents.ts";

afterAll(stopStacks);

/** Three chunks of a restore, for three lanes. */
const ITEMS = 120;
const NEW_ITEMS = 60;
const BYTES = 3_000;

/**
 * The listing announces so much that every item is a batch of its own: an export request, as it is an import request.
 */
const ONE_BY_ONE = { behaviours: { sizeFactor: { min: 0.0001, max: 0.0001 } } };

test("a backup and a restore of one mailbox share its four slots, and the restore has the greater part", {
  timeout: 120_000,
}, async () => {
  const stack = await aStack({
    clock: 20,
    graph: {
      mailboxes: [{ kind: "generated", userPrincipalName: ADA, items: ITEMS, bytes: { fixed: BYTES } }],
      settings: ONE_BY_ONE,
    },
    settings: { LANE_SECONDS: "1" },
  });
  const original = streams(await stack.graph.items(ADA));
  const folders = await folderIds(stack, ADA);
  await stack.backUp(ADA);
  await stack.graph.run("create-items", { mailbox: ADA, folder: "inbox", count: NEW_ITEMS, bytes: BYTES });
  const before = await mailboxLines(stack, ADA);
  await stack.graph.run("reset-counters");
  for (const endpoint of ["export-items", "import-item"])
    await stack.graph.run("add-fault", { kind: "slow", endpoint, delayMs: 150 });

  const backup = await stack.api.start("/api/backups", { mailboxes: [ADA] });
  await eventually("export", async () => ((await requests(stack)).exports > 0 ? true : undefined));
  const restore = await stack.api.start("/api/restores", {
    mailbox: ADA,
    select: { all: true },
    reason: "a test",
  });
  const start = await importsReach(stack, 1);
  const end = await importsReach(stack, start.imports + ITEMS / 2);
  expect((await stack.api.job(backup))?.state).toBe("running");
  expect(end.exports).toBeGreaterThan(start.exports);
  expect(end.imports - start.imports).toBeGreaterThan(1.5 * (end.exports - start.exports));

  const restored = await stack.api.finish(restore);
  const backedUp = await stack.api.finish(backup);
  const { mailboxes } = await counters(stack);
  expect(Math.max(...Object.values(mailboxes).map(({ highestConcurrency }) => highestConcurrency))).toBe(4);
  expect(restored.result).toMatchObject({ imported: ITEMS, failed: 0, ambiguous: 0, missing: 0 });
  expect(streams(await itemsInNewFolders(stack, ADA, folders))).toEqual(original);
  expect(backedUp.result).toMatchObject({ complete: 1, partial: 0, failed: 0 });
  const saved = await snapshotLines(stack, ADA);
  expect(before).toHaveLength(ITEMS + NEW_ITEMS);
  expect(saved).toEqual(expect.arrayContaining(before));
  expect(new Set(saved).size).toBe(saved.length);
});

const Counters = z.looseObject({
  requests: z.record(z.string(), z.int()),
  mailboxes: z.record(z.string(), z.looseObject({ highestConcurrency: z.int() })),
});
const counters = async ({ graph }: TestStack) => Counters.parse(await graph.counters());

const requests = async (stack: TestStack) => {
  const { requests } = await counters(stack);
  return { exports: requests["export-items"] ?? 0, imports: requests["import-item"] ?? 0 };
};

const importsReach = (stack: TestStack, imports: number) =>
  eventually(
    `import number ${imports}`,
    async () => {
      const now = await requests(stack);
      return now.imports >= imports ? now : undefined;
    },
    60,
  );
