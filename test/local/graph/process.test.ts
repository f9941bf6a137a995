import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { StartOptions } from "../../../local/graph/emulator.ts";
import { Answer, anEmulator, idsOf, UPN } from "./kit.ts";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

const aFolder = (): string => {
  const folder = mkdtempSync(path.join(tmpdir(), "graph-test-"));
  folders.push(folder);
  return folder;
};

describe("state directory", () => {
  test("keeps mailboxes, changes, imports and delta links across restarts", async () => {
    const stateDir = aFolder();
    const first = await anEmulator({ stateDir, mailboxes: [] });
    const { mailboxId: mailbox = "" } = await first.emulator.admin["add-mailbox"]({
      kind: "generated",
      userPrincipalName: UPN,
      items: 50,
    });
    const base = `/v1.0/admin/exchange/mailboxes/${mailbox}`;
    const delta = await first.readAll(`${base}/folders/inbox/items/delta`);
    const [removed = "", moved = "", kept = ""] = idsOf(delta.values);
    await first.emulator.admin["remove-item"]({ mailbox, item: removed });
    const { id } = await first.emulator.admin["move-item"]({ mailbox, item: moved, folder: "archive" });
    const folder = await first.ask(`${base}/folders`, { body: { displayName: "Restored", type: "IPF.Note" } });
    const exported = await first.ask(`${base}/exportItems`, { body: { itemIds: [kept] } });
    const Data = String(exported.body.value?.[0]?.["data"]);
    const importBody = { FolderId: folder.body["id"], Mode: "create", Data };
    const imported = await first.ask(await first.importUrl("v1.0", mailbox), { body: importBody, token: "" });
    const port = Number(new URL(first.emulator.graphUrl).port);
    await first.emulator.stop();

    const second = await anEmulator({ stateDir, mailboxes: [], port });
    const since = await second.readAll(delta.deltaLink);
    const again = await second.ask(`${base}/exportItems`, { body: { itemIds: [imported.body["itemId"], id] } });
    const next = await second.ask(await second.importUrl("v1.0", mailbox), { body: importBody, token: "" });

    expect(since.values.map((value) => [value["id"], "@removed" in value])).toEqual([
      [removed, true],
      [moved, true],
    ]);
    expect(again.body.value?.find((value) => value["itemId"] === imported.body["itemId"])?.["data"]).toBe(Data);
    expect(again.body.value?.every((value) => "data" in value)).toBe(true);
    expect(next.body["itemId"]).not.toBe(imported.body["itemId"]);
  });

  test("without one, imported content is removed at the end", async () => {
    const contentDir = aFolder();
    const { base, ask, emulator, folderId, importUrl, exportOne } = await anEmulator({ contentDir });
    const [id = ""] = idsOf((await ask(`${base}/folders/inbox/items`)).body.value ?? []);
    const Data = await exportOne(id);
    const url = await importUrl();
    await ask(url, { body: { FolderId: await folderId(), Mode: "create", Data }, token: "" });
    await ask(url, { body: { FolderId: "nowhere", Mode: "create", Data }, token: "" });

    expect(
      readdirSync(contentDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()),
    ).toHaveLength(1);
    await emulator.stop();
  });
});

const Ready = z.object({ graphUrl: z.url(), importUrl: z.url() });

const aProcess = async (options: StartOptions): Promise<{ child: ChildProcess; graphUrl: string }> => {
  const child = spawn(process.execPath, ["local/graph/main.ts", JSON.stringify(options)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return { child, graphUrl: Ready.parse(JSON.parse(String(line))).graphUrl };
};

const peakBytes = (pid = 0) =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;

describe("main", () => {
  test("ends when its parent's pipe closes", async () => {
    const { child } = await aProcess({});

    child.stdin?.end();
    const [code] = await once(child, "exit");

    expect(code).toBe(0);
  });

  // Peak memory is told by /proc, which only Linux has.
  test.runIf(process.platform === "linux")("passes an item of 150 MB on in little memory", async () => {
    const { child, graphUrl } = await aProcess({
      mailboxes: [
        { kind: "generated", userPrincipalName: UPN, items: 1, layout: "inbox-only", bytes: { fixed: 150_000_000 } },
      ],
      settings: { limits: { maxIncomingBytes: 2_000_000_000 } },
    });
    const headers = { authorization: "Bearer emulator-token" };
    const post = (path: string, body: unknown) =>
      fetch(graphUrl + path, { method: "POST", headers, body: JSON.stringify(body) });
    const json = async (answer: Response | Promise<Response>) => Answer.parse(await (await answer).json());
    const get = (path: string) => json(fetch(graphUrl + path, { headers }));
    const { primaryMailboxId } = await get(`/v1.0/users/${UPN}/settings/exchange`);
    const base = `/v1.0/admin/exchange/mailboxes/${String(primaryMailboxId)}`;
    const ids = idsOf((await get(`${base}/folders/inbox/items`)).value ?? []);
    const folder = String((await get(`${base}/folders/archive`))["id"]);
    const { importUrl } = await json(post(`${base}/createImportSession`, {}));

    const statuses = await Promise.all(
      ids.map(async (id) => {
        const exported = await post(`${base}/exportItems`, { itemIds: [id] });
        const body = ReadableStream.from(importBodyOf(exported, folder));
        return (await fetch(String(importUrl), { method: "POST", duplex: "half", body })).status;
      }),
    );
    const peak = peakBytes(child.pid);
    child.stdin?.end();
    await once(child, "exit");

    expect(statuses).toEqual([200]);
    expect(peak).toBeLessThan(300 * 1024 * 1024);
  });
});

/** Makes an import body out of an export of one item while it arrives. */
async function* importBodyOf(exported: Response, folder: string): AsyncGenerator<Uint8Array> {
  const marker = Buffer.from('"data":"');
  let head: Buffer | undefined = Buffer.alloc(0);
  yield Buffer.from(`{"FolderId":"${folder}","Mode":"create","Data":"`);
  for await (const chunk of exported.body ?? []) {
    let data = Buffer.from(chunk);
    if (head !== undefined) {
      head = Buffer.concat([head, data]);
      const start = head.indexOf(marker);
      if (start < 0) continue;
      data = head.subarray(start + marker.length);
      head = undefined;
    }
    const end = data.indexOf('"');
    yield end < 0 ? data : data.subarray(0, end);
  }
  yield Buffer.from('"}');
}
