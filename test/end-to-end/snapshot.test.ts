import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readFolders } from "../../shared/vault/folders.ts";
import { Head } from "../../shared/vault/head.ts";
import { Manifest, manifestBytes } from "../../shared/vault/manifest.ts";
import { merkleRoot } from "../../shared/vault/merkle.ts";
import { headName, manifestName } from "../../shared/vault/names.ts";
import { ADA, aFolder, aStack, BO, stopStacks, type TestStack } from "../support/stack.ts";
import {
  folderIds,
  itemsInNewFolders,
  mailboxLines,
  snapshotLines,
  snapshotsOf,
  streams,
} from "../support/stack-contents.ts";
import { restoreTests } from "./restores.ts";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

let stack: TestStack;

beforeAll(async () => {
  stack = await aStack({
    profile: "azure",
    graph: {
      mailboxes: [
        {
          kind: "generated",
          userPrincipalName: ADA,
          items: 150,
          bytes: { median: 8_000, mean: 20_000, max: 2_000_000 },
        },
        { kind: "generated", userPrincipalName: BO, items: 60, bytes: { fixed: 3_000 } },
      ],
    },
    settings: { RESTORE_WINDOW: "2", LANE_SECONDS: "1" },
  });
});
afterAll(stopStacks);

const read = async (name: string): Promise<Buffer> => {
  const found = await stack.vault.readWhole(name);
  if (found === undefined) throw new Error(`The vault has no ${name}`);
  return found.body;
};

const manifestOf = async (user: string, snapshot: string): Promise<Manifest> =>
  Manifest.parse(JSON.parse((await read(manifestName(await stack.keyOf(user), snapshot))).toString()));

describe("a backup of every mailbox", () => {
  test("leaves a snapshot of each whose manifest, parts, root, head and packs hold what they say", async () => {
    const wanted = { [ADA]: await mailboxLines(stack, ADA), [BO]: await mailboxLines(stack, BO) };
    const { result } = await stack.api.finish(await stack.api.start("/api/backups", {}));
    expect(result).toMatchObject({ complete: 2, partial: 0, failed: 0, items: 210 });

    for (const [user, lines] of Object.entries(wanted)) {
      const key = await stack.keyOf(user);
      const [snapshot = ""] = await snapshotsOf(stack, user);
      expect(await snapshotLines(stack, user, snapshot)).toEqual(lines);

      const bytes = await read(manifestName(key, snapshot));
      const manifest = await manifestOf(user, snapshot);
      expect(manifestBytes(manifest)).toEqual(bytes);
      expect(manifest).toMatchObject({ id: snapshot, base: true, parent: null, state: "complete", trigger: "request" });
      expect(manifest.counts).toMatchObject({ put: lines.length, removed: 0, skipped: 0, failed: 0 });
      const live = await folderIds(stack, user);
      const { folders } = await readFolders(stack.vault, key, snapshot);
      expect(new Set(folders.map(({ id }) => id))).toEqual(live);
      expect(folders.filter(({ deltaLink }) => deltaLink === undefined)).toEqual([]);

      for (const part of manifest.parts) {
        const stored = await read(part.name);
        expect([sha256(stored), stored.length]).toEqual([part.sha256, part.bytes]);
        expect(gunzipSync(stored).toString().trimEnd().split("\n")).toHaveLength(part.records);
      }
      expect(manifest.root).toBe(merkleRoot(manifest.parts.map((part) => part.sha256)));

      const head = Head.parse(JSON.parse((await read(headName(key))).toString()));
      expect(head.newest).toMatchObject({ id: snapshot, manifestSha256: sha256(bytes), items: lines.length });
      await expectEveryPackToOpen(key);
    }
  });

  test("is followed by another snapshot once something changed, and both can be restored", async () => {
    const dee = "dee.park@contoso.example";
    await stack.graph.run("add-mailbox", mailboxSpec(dee, 40));
    await stack.backUp(dee);
    const first = await stack.graph.items(dee);
    const [gone, changed] = first;
    await stack.graph.run("remove-item", { mailbox: dee, item: gone?.id });
    await stack.graph.run("change-item", { mailbox: dee, item: changed?.id, bytes: 5_000 });
    await stack.graph.run("create-items", { mailbox: dee, folder: "inbox", count: 3 });
    const second = await stack.graph.items(dee);
    const secondLines = await mailboxLines(stack, dee);
    await stack.backUp(dee);

    const [older = "", newer = "", ...more] = await snapshotsOf(stack, dee);
    expect(more).toEqual([]);
    expect((await manifestOf(dee, newer)).parent).toEqual({
      id: older,
      sha256: sha256(await read(manifestName(await stack.keyOf(dee), older))),
    });
    expect(await snapshotLines(stack, dee, newer)).toEqual(secondLines);
    for (const [snapshot, items] of [
      [older, first],
      [newer, second],
    ] as const) {
      const before = await folderIds(stack, dee);
      await stack.restore({ mailbox: dee, snapshot, select: { all: true } });
      expect(streams(await itemsInNewFolders(stack, dee, before))).toEqual(streams(items));
    }
  });
});

restoreTests(() => stack);

const mailboxSpec = (userPrincipalName: string, items: number) => ({
  kind: "generated",
  userPrincipalName,
  items,
  bytes: { fixed: 3_000 },
});

const expectEveryPackToOpen = async (key: string): Promise<void> => {
  const folder = await aFolder();
  const packs = stack.service.getContainerClient("vault").listBlobsFlat({ prefix: `${key}/packs/` });
  let opened = 0;
  for await (const { name } of packs) {
    const file = join(folder, `${opened}.zip`);
    await stack.service.getContainerClient("vault").getBlobClient(name).downloadToFile(file);
    const { stdout } = await promisify(execFile)("unzip", ["-t", file]);
    expect(stdout).toContain("No errors detected");
    opened += 1;
  }
  expect(opened).toBeGreaterThan(0);
};
