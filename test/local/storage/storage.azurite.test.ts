import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import {
  BlobSASPermissions,
  BlobServiceClient,
  BlockBlobClient,
  type ContainerClient,
  ContainerSASPermissions,
} from "@azure/storage-blob";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Fault } from "../../../local/storage/options.ts";
import { type Storage, startStorage } from "../../../local/storage/storage.ts";
import { temporaryDir } from "./temporary-dir.ts";

let dir: string;
let storage: Storage;
let service: BlobServiceClient;
let container: ContainerClient;
let containers = 0;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "storage-"));
  storage = await startStorage({ dir });
  service = BlobServiceClient.fromConnectionString(storage.connectionString, { retryOptions: { maxTries: 1 } });
});

afterAll(async () => {
  await storage.stop();
  await rm(dir, { recursive: true });
});

beforeEach(async () => {
  storage.clearFaults();
  containers += 1;
  container = service.getContainerClient(`test-${containers}`);
  await container.create();
  storage.resetCounts();
});

const inAnHour = () => new Date(Date.now() + 3_600_000);
const upload = (name: string, content: string) => container.getBlockBlobClient(name).upload(content, content.length);
/** Chunks without end; calls `started` after the first few. */
async function* endless(started: () => void) {
  for (let count = 0; ; count += 1) {
    if (count === 8) started();
    yield Buffer.alloc(65_536);
  }
}

const download = async (name: string) => (await container.getBlobClient(name).downloadToBuffer()).toString();

describe("storage through the gateway", () => {
  test("creates a blob once with If-None-Match and guards it with its ETag", async () => {
    const blob = container.getBlockBlobClient("head.json");
    const { etag = "" } = await blob.upload("1", 1, { conditions: { ifNoneMatch: "*" } });

    await expect(blob.upload("2", 1, { conditions: { ifNoneMatch: "*" } })).rejects.toMatchObject({ statusCode: 409 });
    await expect(blob.upload("2", 1, { conditions: { ifMatch: '"other"' } })).rejects.toMatchObject({
      statusCode: 412,
    });
    await blob.upload("3", 1, { conditions: { ifMatch: etag } });
    expect(await download("head.json")).toBe("3");
  });

  test("commits blocks and reads a range of them", async () => {
    const blob = container.getBlockBlobClient("pack.zip");
    const ids = ["a", "b"].map((id) => Buffer.from(id).toString("base64"));
    await blob.stageBlock(ids[0] ?? "", "0123", 4);
    await blob.stageBlock(ids[1] ?? "", "4567", 4);
    await blob.commitBlockList(ids);

    expect((await blob.downloadToBuffer(2, 4)).toString()).toBe("2345");
    expect((await blob.getBlockList("committed")).committedBlocks).toHaveLength(2);
  });

  test("appends to a blob under a lease", async () => {
    const blob = container.getAppendBlobClient("ledger.jsonl");
    await blob.create();
    const { leaseId = "" } = await blob.getBlobLeaseClient().acquireLease(15);

    await expect(blob.appendBlock("x", 1)).rejects.toMatchObject({ statusCode: 412 });
    await blob.appendBlock("a\n", 2, { conditions: { leaseId } });
    await blob.appendBlock("b\n", 2, { conditions: { leaseId, appendPosition: 2 } });
    expect(await download("ledger.jsonl")).toBe("a\nb\n");
  });

  test("takes SAS URLs, and only for what they allow", async () => {
    await upload("a b/ä.txt", "hello");
    const blob = container.getBlobClient("a b/ä.txt");
    const readOnly = await blob.generateSasUrl({ permissions: BlobSASPermissions.parse("r"), expiresOn: inAnHour() });

    expect((await new BlockBlobClient(readOnly).downloadToBuffer()).toString()).toBe("hello");
    await expect(new BlockBlobClient(readOnly).upload("x", 1)).rejects.toMatchObject({ statusCode: 403 });

    const expiresOn = inAnHour();
    const writeOnly = await container.generateSasUrl({ permissions: ContainerSASPermissions.parse("cw"), expiresOn });
    const [base = "", query] = writeOnly.split("?");
    await new BlockBlobClient(`${base}/written?${query}`).upload("y", 1);
    expect(await download("written")).toBe("y");
  });

  test("copies, lists, describes and deletes", async () => {
    await upload("from", "content");
    const copied = container.getBlockBlobClient("to");
    await (await copied.beginCopyFromURL(container.getBlobClient("from").url)).pollUntilDone();
    const names: string[] = [];
    for await (const { name } of container.listBlobsFlat()) names.push(name);

    expect(names).toEqual(["from", "to"]);
    expect((await copied.getProperties()).contentLength).toBe(7);
    await copied.delete();
    expect(await copied.exists()).toBe(false);
  });

  test("passes a large body on unchanged in both directions", async () => {
    const content = randomBytes(9 * 1024 * 1024);
    const blob = container.getBlockBlobClient("large");
    await blob.uploadData(content, { blockSize: 4 * 1024 * 1024, concurrency: 3, maxSingleShotSize: 1024 });
    const { readableStreamBody } = await blob.download();

    const received = await buffer(readableStreamBody as NodeJS.ReadableStream);
    expect(createHash("sha256").update(received).digest("hex")).toBe(
      createHash("sha256").update(content).digest("hex"),
    );
    expect(storage.counts()).toMatchObject({ bytesOut: expect.any(Number), operations: { PutBlock: 3, GetBlob: 1 } });
    expect(storage.counts().bytesIn).toBeGreaterThanOrEqual(content.length);
    expect(storage.counts().bytesOut).toBeGreaterThanOrEqual(content.length);
  });

  test("keeps its blobs over a restart in the same directory", async () => {
    const ownDir = await temporaryDir();
    const before = await startStorage({ dir: ownDir });
    const first = BlobServiceClient.fromConnectionString(before.connectionString).getContainerClient("vault");
    await first.create();
    await first.getBlockBlobClient("a").upload("kept", 4);
    await before.stop();

    const after = await startStorage({ dir: ownDir });
    const second = BlobServiceClient.fromConnectionString(after.connectionString).getContainerClient("vault");
    const content = await second.getBlobClient("a").downloadToBuffer();
    await after.stop();
    expect(content.toString()).toBe("kept");
  });
});

describe("a client that goes away", () => {
  test("leaves nothing behind from half an upload", async () => {
    const abort = new AbortController();
    const body = () => Readable.from(endless(() => abort.abort()));
    const uploading = container.getBlockBlobClient("half").upload(body, 1e9, { abortSignal: abort.signal });

    await expect(uploading).rejects.toThrow(/abort/i);
    expect(await container.getBlobClient("half").exists()).toBe(false);
  });

  test("does not stop others when it leaves in the middle of a download", async () => {
    await container.getBlockBlobClient("large").upload(randomBytes(8e6), 8e6);
    const leaving = Array.from({ length: 8 }, async () => {
      const { readableStreamBody } = await container.getBlobClient("large").download();
      (readableStreamBody as Readable).once("error", () => undefined).destroy();
    });
    await Promise.all(leaving);

    expect((await container.getBlobClient("large").downloadToBuffer()).length).toBe(8e6);
  });
});

describe("counts", () => {
  test("name and sort each transaction, and name no secret", async () => {
    await upload("a", "12345");
    const expiresOn = inAnHour();
    const url = await container
      .getBlobClient("a")
      .generateSasUrl({ permissions: BlobSASPermissions.parse("r"), expiresOn });
    await new BlockBlobClient(url).downloadToBuffer();
    await container.getBlobClient("a").delete();
    await expect(container.getBlobClient("a").getProperties()).rejects.toMatchObject({ statusCode: 404 });

    const counts = storage.counts();
    expect(counts.operations).toMatchObject({ PutBlob: 1, GetBlob: 1, DeleteBlob: 1 });
    expect(counts.kinds).toMatchObject({ write: 1, read: 1, list: 0, delete: 1 });
    expect(counts.failures).toEqual({ 404: 1 });
    expect(counts.bytesIn).toBe(5);
    expect(counts.bytesOut).toBe(5);
    expect(JSON.stringify(counts)).not.toMatch(/sig=|SharedKey/);
  });
});

describe("faults", () => {
  test.each([500, 503, 412])("answer %d before the storage is reached, as often as told", async (status) => {
    storage.addFault({ operation: "^PutBlob$", path: "^/test-\\d+/broken", count: 1, answer: status });

    await upload("fine", "x");
    await expect(upload("broken", "x")).rejects.toMatchObject({ statusCode: status });
    expect(await container.getBlobClient("broken").exists()).toBe(false);
    await upload("broken", "y");
    expect(storage.counts().failures).toMatchObject({ [status]: 1 });
    expect(storage.faults()).toEqual([]);
  });

  test("answer 500 after the write took effect", async () => {
    storage.addFault({ operation: "PutBlob", count: 1, answer: 500, when: "after" });

    await expect(upload("a", "x")).rejects.toMatchObject({ statusCode: 500 });
    expect(await download("a")).toBe("x");
  });

  test.each([
    { when: "before", exists: false },
    { when: "after", exists: true },
  ] as const)("reset the connection $when the storage is reached", async ({ when, exists }) => {
    storage.addFault({ operation: "PutBlob", count: 1, answer: "reset", when });

    await expect(upload("a", "x")).rejects.toMatchObject({
      code: expect.stringMatching(/ECONNRESET|REQUEST_SEND_ERROR/),
    });
    expect(await container.getBlobClient("a").exists()).toBe(exists);
    expect(storage.counts().failures).toMatchObject({ reset: 1 });
  });

  test("hit the same share of requests in every run", async () => {
    storage.addFault({ operation: "GetBlobProperties", rate: 0.25, answer: 503 });
    const blob = container.getBlobClient("none");
    const statuses: number[] = [];
    for (let i = 0; i < 8; i += 1) await blob.getProperties().catch(({ statusCode }) => statuses.push(statusCode));

    expect(statuses.filter((status) => status === 503)).toHaveLength(2);
  });

  test("delay the true answer", async () => {
    storage.addFault({ operation: "GetBlob$", count: 1, delayMs: 300 });
    await upload("a", "x");
    const start = performance.now();

    expect(await download("a")).toBe("x");
    expect(performance.now() - start).toBeGreaterThan(290);
  });

  test.each<[string, Fault]>([
    ["a broken expression", { path: "(" }],
    ["a rate above one", { rate: 2 }],
    ["a status of success", { answer: 200 }],
  ])("refuse %s", (_, fault) => {
    expect(() => storage.addFault(fault)).toThrow();
  });
});

describe("/__admin", () => {
  const admin = (method: string, route: string, body?: unknown) =>
    fetch(`${storage.url}/__admin/${route}`, { method, ...(body ? { body: JSON.stringify(body) } : {}) });

  test("reads and resets the counts", async () => {
    await upload("a", "x");
    const before = await (await admin("GET", "counters")).json();
    const reset = await admin("POST", "reset");

    expect(before).toMatchObject({ kinds: { write: 1 }, pendingEvents: 0 });
    expect(reset.status).toBe(204);
    expect(storage.counts().kinds.write).toBe(0);
  });

  test("arms, lists and clears faults", async () => {
    await admin("POST", "faults", { operation: "PutBlob", answer: 503, count: 2 });
    expect(await (await admin("GET", "faults")).json()).toMatchObject([{ answer: 503, count: 2 }]);
    await admin("DELETE", "faults");
    await upload("a", "x");
  });

  test.each([
    ["POST", "faults", { answer: 200 }, 400, "answer"],
    ["POST", "subscriptions", { hostUrl: "no url" }, 400, "hostUrl"],
    ["GET", "nothing", undefined, 404, "GET counters"],
  ])("%s %s with %j answers %d", async (method, route, body, status, hint) => {
    const response = await admin(method, route, body);
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(hint);
  });

  test("says that a body must be JSON", async () => {
    const response = await fetch(`${storage.url}/__admin/faults`, { method: "POST", body: "{" });
    expect(await response.json()).toEqual({ error: "The body must be JSON." });
  });
});
