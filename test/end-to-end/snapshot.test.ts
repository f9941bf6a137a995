import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import type { Folder } from "../../local/stack/admin.ts";
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

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

let stack: TestStack;

beforeAll(async () => {
  stack = await aStack({
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
      expect(new Set(manifest.folders.map(({ id }) => id))).toEqual(live);
      expect(manifest.folders.filter(({ deltaLink }) => deltaLink === undefined)).toEqual([]);

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

describe("a restore", () => {
  test("to where the items were brings back what is missing, and a second one imports nothing", async () => {
    const eve = "eve.ross@contoso.example";
    await stack.graph.run("add-mailbox", mailboxSpec(eve, 60));
    const wanted = await byFolder(eve);
    await stack.backUp(eve);
    for (const item of (await stack.graph.items(eve)).slice(0, 7))
      await stack.graph.run("remove-item", { mailbox: eve, item: item.id });
    expect(await byFolder(eve)).not.toEqual(wanted);

    const request = { mailbox: eve, select: { all: true }, target: "original" };
    const dry = await stack.restore({ ...request, dryRun: true });
    expect(dry.result).toMatchObject({ items: 7, present: 53, foldersToCreate: 0 });
    const restored = await stack.restore(request);
    expect(restored.result).toMatchObject({ imported: 7, present: 53, missing: 0, failed: 0 });
    expect(await byFolder(eve)).toEqual(wanted);
    await expectReport(restored.id, { imported: 7, present: 53 });
    expect(await reportStatus(dry.id)).toEqual([409, "/problems/restore-not-finished"]);
    expect((await stack.restore(request)).result).toMatchObject({ imported: 0, present: 60, missing: 0, failed: 0 });
    expect(await byFolder(eve)).toEqual(wanted);
  });

  test("of folders takes what lies below them, named by path, id or well-known name", async () => {
    const finn = "finn.dahl@contoso.example";
    await stack.graph.run("add-mailbox", mailboxSpec(finn, 90));
    await stack.backUp(finn);
    const folders = await stack.graph.folders(finn);
    const byKey = (key: string) => folders.find((folder) => folder.key === key);
    const [inbox, nested] = [byKey("inbox"), byKey("user-1")];
    expect(nested?.parentId).toBe(inbox?.id);
    const idsOf = (...keys: string[]) => new Set(keys.map((key) => byKey(key)?.id));
    const items = await stack.graph.items(finn);
    const path = `${inbox?.displayName}/${nested?.displayName}`;
    const below = keysBelow(folders, nested?.id);
    expect(below).toEqual(["user-3"]);

    for (const [folder, wanted] of [
      ["INBOX", idsOf("inbox", ...keysBelow(folders, inbox?.id))],
      [path, idsOf("user-1", ...below)],
      [byKey("sentitems")?.id, idsOf("sentitems")],
      ["sentitems", idsOf("sentitems")],
    ] as const) {
      const before = await folderIds(stack, finn);
      await stack.restore({ mailbox: finn, select: { folders: [folder] } });
      expect(streams(await itemsInNewFolders(stack, finn, before))).toEqual(
        streams(items.filter(({ folderId }) => wanted.has(folderId))),
      );
    }
  });
});

const mailboxSpec = (userPrincipalName: string, items: number) => ({
  kind: "generated",
  userPrincipalName,
  items,
  bytes: { fixed: 3_000 },
});

const keysBelow = (folders: readonly Folder[], id: string | undefined): string[] =>
  folders.filter(({ parentId }) => parentId === id).flatMap((child) => [child.key, ...keysBelow(folders, child.id)]);

/** Which streams lie in which folder. */
const byFolder = async (user: string): Promise<string[]> =>
  (await stack.graph.items(user)).map((item) => `${item.folderId} ${item.sha256}`).toSorted();

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

const Report = z.looseObject({
  mailbox: z.string(),
  snapshot: z.string(),
  counts: z.looseObject({}),
  folders: z.array(z.looseObject({ wanted: z.int(), present: z.int(), missing: z.literal(0) })),
  items: z.array(z.never()),
});

/** A job's report as JSON says the same as the one as CSV: all that was wanted is there. */
const expectReport = async (job: string, counts: { imported: number; present: number }): Promise<void> => {
  const path = `/api/restores/${job}/report`;
  const report = Report.parse(await stack.api.get(path));
  expect(report.counts).toMatchObject(counts);
  expect(report.folders.reduce((sum, { present }) => sum + present, 0)).toBe(counts.imported);

  const csv = await stack.api.request(path, { headers: { accept: "text/csv" } });
  expect(csv.headers.get("content-type")).toBe("text/csv; charset=utf-8");
  const [header, ...rows] = (await csv.text()).trimEnd().split("\r\n");
  expect(header).toMatch(/^row,folderId,path,/);
  expect(rows).toHaveLength(report.folders.length);
};

const reportStatus = async (job: string): Promise<[status: number, type: string]> => {
  const response = await stack.api.request(`/api/restores/${job}/report`);
  return [response.status, z.looseObject({ type: z.string() }).parse(await response.json()).type];
};
