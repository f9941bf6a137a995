import { readFile } from "node:fs/promises";
import { afterEach, expect, test } from "vitest";
import * as z from "zod";
import { ADA, aStack, stopStacks, type TestStack } from "../support/stack.ts";
import { folderIds, itemsInNewFolders, mailboxLines, snapshotLines, streams } from "../support/stack-contents.ts";

afterEach(stopStacks);

const LIMIT_MIB = 256;

/** The upload budget, 150 MB in five minutes, would make an item of that size wait for as long. */
const NO_LIMITS = { limits: { enabled: false } };

test("an item of 150 MB is backed up and restored in less than 256 MiB", async () => {
  const stack = await aStack(oneMailbox({ items: 1, bytes: 150_000_000 }, NO_LIMITS));
  const pid = await stack.appPid();
  await backsUpWhole(stack);
  const afterBackup = await peakMiB(pid);

  const folders = await folderIds(stack, ADA);
  const original = streams(await stack.graph.items(ADA));
  await stack.restore({ mailbox: ADA, select: { folders: ["inbox"] } });
  expect(streams(await itemsInNewFolders(stack, ADA, folders))).toEqual(original);

  expect(await stack.appPid()).toBe(pid);
  expect(Math.max(afterBackup, await peakMiB(pid))).toBeLessThan(LIMIT_MIB);
});

test("a batch of 20 items of 20 MB is backed up in less than 256 MiB", async () => {
  // What a listing announces is far from what an export holds: only so do 400 MB get into one batch.
  const sizeFactor = { min: 20, max: 20 };
  const stack = await aStack(oneMailbox({ items: 20, bytes: 20_000_000 }, { behaviours: { sizeFactor } }));
  const pid = await stack.appPid();
  await backsUpWhole(stack);
  expect(await packsOf(stack)).toBe(1);
  expect(await stack.appPid()).toBe(pid);
  expect(await peakMiB(pid)).toBeLessThan(LIMIT_MIB);
});

test("a million ids are uploaded in pieces of 4 MB and translated in less than 256 MiB", async () => {
  const stack = await aStack(oneMailbox({ items: 1, bytes: 1_000 }, NO_LIMITS));
  const pid = await stack.appPid();
  const call = async (method: string, path: string, body: string): Promise<z.output<typeof Answer>> => {
    const answer = await fetch(new URL(path, stack.hostUrl), { method, body });
    expect(answer.ok).toBe(true);
    return Answer.parse(await answer.json());
  };

  const { upload = "" } = await call("POST", "/api/uploads", JSON.stringify({ of: "ids", from: "restId" }));
  const pieces = Math.ceil(MANY / IDS_IN_A_PIECE);
  for (let piece = 0; piece < pieces; piece += 1)
    await call("PUT", `/api/uploads/${upload}/pieces/${piece}`, idLines(piece * IDS_IN_A_PIECE));
  const start = { upload, pieces, mailbox: ADA, from: "restId", to: "restImmutableEntryId" };
  const { job = "" } = await call("POST", "/api/ids/translate", JSON.stringify(start));

  expect(await stack.api.finish(job)).toMatchObject({ state: "completed", result: { ids: MANY, failed: MANY } });
  expect(await stack.appPid()).toBe(pid);
  expect(await peakMiB(pid)).toBeLessThan(LIMIT_MIB);
});

const Answer = z.looseObject({ upload: z.string().optional(), job: z.string().optional() });

const MANY = 1_000_000;

/** As many ids of usual length, 152 characters, as fit into 4 MB. */
const IDS_IN_A_PIECE = 27_413;

const idLines = (first: number): string =>
  Array.from({ length: Math.min(IDS_IN_A_PIECE, MANY - first) }, (_, n) =>
    Buffer.from(`item ${first + n}`.padEnd(114)).toString("base64url"),
  ).join("\n");

const oneMailbox = ({ items, bytes }: { items: number; bytes: number }, settings: object = {}) => ({
  graph: {
    mailboxes: [
      {
        kind: "generated" as const,
        userPrincipalName: ADA,
        items,
        layout: "inbox-only" as const,
        bytes: { fixed: bytes },
      },
    ],
    settings,
  },
});

const backsUpWhole = async (stack: TestStack): Promise<void> => {
  const { result } = await stack.backUp(ADA);
  expect(result).toMatchObject({ complete: 1, partial: 0, failed: 0 });
  expect(await snapshotLines(stack, ADA)).toEqual(await mailboxLines(stack, ADA));
};

/** Packs of batches, beside the one that has the folders. */
const packsOf = async ({ vault, keyOf }: TestStack): Promise<number> => {
  let packs = 0;
  for await (const { name } of vault.list(`${await keyOf(ADA)}/packs/`)) if (/\/c\d{1,8}-/.test(name)) packs += 1;
  return packs;
};

/** The most memory that a process ever had resident. Linux alone tells. */
const peakMiB = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
};
