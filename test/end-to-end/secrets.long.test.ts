import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateRawSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import * as z from "zod";
import { ADA, aFolder, aStack, stopStacks, type TestStack } from "../support/stack.ts";
import { leaksIn } from "../support/stack-leaks.ts";

const REASON = "ticket 4711";

const Export = z.looseObject({
  inventory: z.looseObject({
    files: z.array(z.looseObject({ name: z.string(), bytes: z.int(), sha256: z.string(), href: z.string() })),
  }),
});

const ADDRESS = /[\w.]+@contoso\.example/i;

let stack: TestStack;
let statuses: string[];
let restore: string;
let personalData: string;

beforeAll(async () => {
  stack = await aStack({
    appDir: await anAppThatLogsEverything(),
    graph: {
      mailboxes: [{ kind: "generated", userPrincipalName: ADA, items: 60, bytes: { fixed: 3_000 } }],
      settings: { behaviours: { exportStepMs: 20, exportRetryAfterSeconds: 1, operationRetryAfterSeconds: 1 } },
    },
  });
  const backup = await stack.api.start("/api/backups", {});
  await stack.api.finish(backup);
  restore = await stack.api.start("/api/restores", { mailbox: ADA, select: { all: true }, reason: REASON });
  await stack.api.finish(restore);
  personalData = await stack.api.start("/api/personal-data-exports", {
    user: ADA,
    includeMailbox: true,
    reason: REASON,
  });
  await stack.api.finish(personalData);
  const instances = `${stack.hostUrl}/runtime/webhooks/durabletask/instances?showInput=true`;
  statuses = [
    ...(await Promise.all([backup, restore, personalData].map(async (id) => JSON.stringify(await stack.api.job(id))))),
    JSON.stringify(await stack.api.get("/api/mailboxes")),
    JSON.stringify(await stack.api.get(`/api/restores/${restore}/report`)),
    JSON.stringify(await stack.api.get(`/api/personal-data-exports/${personalData}`)),
    await (await fetch(instances, { headers: { "x-functions-key": stack.hostKey } })).text(),
  ];
});
afterAll(stopStacks);

test("no secret is in the task hub", async () => {
  const files = await filesBelow(join(stack.dataDir, "host"));
  expect(files.length).toBeGreaterThan(5);
  for (const file of files) expect([file, leaksIn(await readFile(file), stack.secrets)]).toEqual([file, []]);
});

test("no secret is in what any process printed, at the most talkative level", () => {
  expect(stack.lines.some(({ text }) => text.includes("Executed 'Functions.upload-wave'"))).toBe(true);
  for (const { text } of stack.lines) expect([text, leaksIn(Buffer.from(text), stack.secrets)]).toEqual([text, []]);
});

test("no secret is in the status of a job", () => {
  for (const status of statuses) expect([status, leaksIn(Buffer.from(status), stack.secrets)]).toEqual([status, []]);
});

test("no secret is in a blob, and no mailbox address in the name of one", async () => {
  let blobs = 0;
  const containers = await stack.containers();
  expect(containers.filter((name) => name.startsWith("dsr-"))).toHaveLength(1);
  for (const container of containers) {
    const client = stack.service.getContainerClient(container);
    for await (const { name } of client.listBlobsFlat()) {
      blobs += 1;
      const leaks = leaksIn(await client.getBlobClient(name).downloadToBuffer(), stack.secrets);
      expect([name, leaks]).toEqual([name, []]);
      expect(name).not.toMatch(ADDRESS);
    }
  }
  expect(blobs).toBeGreaterThan(10);
});

test("the audit log names the restore by its job and the mailbox by its key, with the operator's words", async () => {
  const lines: string[] = [];
  const audit = stack.service.getContainerClient("audit");
  for await (const { name } of audit.listBlobsFlat())
    lines.push((await audit.getBlobClient(name).downloadToBuffer()).toString("utf8"));

  const mailbox = await stack.keyOf(ADA);
  expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
    { job: personalData, mailboxes: [mailbox], reason: REASON },
    { job: restore, mailbox, reason: REASON },
  ]);
  for (const line of lines) expect(line).not.toMatch(ADDRESS);
});

test("the package of a person has what Microsoft wrote and the mailbox, each file as the inventory says", async () => {
  const path = `/api/personal-data-exports/${personalData}`;
  const { inventory } = Export.parse(await stack.api.get(path));
  expect(inventory.files.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["OneDrive/Documents/Note 1.txt", "Reports/activity-2.json", "RequestInfo.json"]),
  );
  expect(inventory.files.filter(({ name }) => name.endsWith(".zip")).length).toBeGreaterThan(2);

  for (const { href, bytes, sha256 } of inventory.files) {
    const response = await stack.api.request(href);
    expect([response.status, response.headers.get("content-length")]).toEqual([200, String(bytes)]);
    const body = Buffer.from(await response.arrayBuffer());
    expect(createHash("sha256").update(body).digest("hex")).toBe(sha256);
  }
  const [note] = inventory.files;
  const part = await stack.api.request(note?.href ?? "", { headers: { range: "bytes=-5" } });
  expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([206, 5]);
  const beyond = await stack.api.request(note?.href ?? "", { headers: { range: `bytes=${note?.bytes}-` } });
  expect([beyond.status, beyond.headers.get("content-range")]).toEqual([416, `bytes */${note?.bytes}`]);
});

test.each(["..%2F..%2Fvault%2Fx", "..%252f..%252fvault", "a%5c..%5c..%5cvault", "%2e%2e/%2e%2e/jobs"])(
  "no file of another container is read by the name %s",
  async (name) => {
    const response = await stack.api.request(`/api/personal-data-exports/${personalData}/files/${name}`);

    expect(response.status).toBe(404);
  },
);

test("no mailbox address is in an instance id", () => {
  const ids = statuses.flatMap((status) => status.match(/"(?:instanceId|id|job)":"[^"]*"/g) ?? []);
  expect(ids.length).toBeGreaterThan(2);
  for (const id of ids) expect(id).not.toMatch(ADDRESS);
});

test.each<[where: string, hide: (text: Buffer) => Buffer]>([
  ["plain text", (text) => text],
  ["gzip", (text) => gzipSync(text)],
  ["a deflated entry amid other bytes", (text) => zipEntry(text)],
  ["base64", (text) => Buffer.from(JSON.stringify({ data: text.toString("base64") }))],
  ["base64 in gzip", (text) => gzipSync(`x ${text.toString("base64")} y`)],
])("a planted secret is found in %s", (_, hide) => {
  const planted = `token ${stack.secrets[0]} ends`;
  expect(leaksIn(hide(Buffer.from(planted)), stack.secrets)).not.toEqual([]);
  expect(leaksIn(hide(Buffer.from("https://blob/x?sv=1&sig=abc%3D")), [])).not.toEqual([]);
  expect(leaksIn(hide(Buffer.from("authorization: Bearer abc")), [])).not.toEqual([]);
  expect(leaksIn(hide(Buffer.from("an ordinary line of an ordinary letter")), stack.secrets)).toEqual([]);
});

/** A local file header and its data, as in a pack. */
const zipEntry = (text: Buffer): Buffer => {
  const data = deflateRawSync(text);
  const header = Buffer.alloc(30);
  header.write("PK\u0003\u0004", "latin1");
  header.writeUInt16LE(8, 8);
  header.writeUInt32LE(data.length, 18);
  return Buffer.concat([Buffer.from("before"), header, data, Buffer.from("after")]);
};

const anAppThatLogsEverything = async (): Promise<string> => {
  const built = inject("appDir");
  const folder = await aFolder();
  await mkdir(folder, { recursive: true });
  await symlink(join(built, "dist"), join(folder, "dist"));
  await copyFile(join(built, "package.json"), join(folder, "package.json"));
  const host = JSON.parse(await readFile(join(built, "host.json"), "utf8"));
  await writeFile(join(folder, "host.json"), JSON.stringify({ ...host, logging: { logLevel: { default: "Trace" } } }));
  return folder;
};

const filesBelow = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
