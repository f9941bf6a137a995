import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { BlobSASPermissions, BlobServiceClient, BlockBlobClient, type ContainerClient } from "@azure/storage-blob";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type Storage, startStorage } from "../../../local/storage/storage.ts";
import { temporaryDir } from "./temporary-dir.ts";

interface Delivered {
  readonly functionName: string;
  readonly headers: Readonly<Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: events are asserted on, not typed
  readonly body: any;
}

let dir: string;
let storage: Storage;
let container: ContainerClient;
let containers = 0;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "storage-"));
  storage = await startStorage({ dir });
});

afterAll(async () => {
  await storage.stop();
  await rm(dir, { recursive: true });
});

beforeEach(async () => {
  storage.setDelivery({});
  await storage.setSubscriptions({ hostUrl: "http://127.0.0.1:9", subscriptions: [] });
  containers += 1;
  container = BlobServiceClient.fromConnectionString(storage.connectionString).getContainerClient(
    `events-${containers}`,
  );
  await container.create();
});

/** A host that answers the given statuses in turn, then 202. */
const aHost = async (...statuses: number[]) => {
  const delivered: Delivered[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const url = new URL(incoming.url ?? "", "http://host");
    expect(url.pathname).toBe("/runtime/webhooks/eventgrid");
    const functionName = url.searchParams.get("functionName") ?? "";
    delivered.push({ functionName, headers: incoming.headers, body: await json(incoming) });
    outgoing.writeHead(statuses.shift() ?? 202).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { hostUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, delivered };
};

const subscribed = async (
  hostUrl: string,
  ...subscriptions: Parameters<Storage["setSubscriptions"]>[0]["subscriptions"]
) => storage.setSubscriptions({ hostUrl, subscriptions, retryDelaysMs: [10], maxAttempts: 3 });

const settled = () => expect.poll(() => storage.pendingEvents()).toBe(0);

const upload = (name: string, content = "{}") => container.getBlockBlobClient(name).upload(content, content.length);

describe("BlobCreated", () => {
  test("is a CloudEvent that describes an uploaded blob and hides the SAS", async () => {
    const { hostUrl, delivered } = await aHost();
    await subscribed(hostUrl, { functionName: "snapshot-written" });
    const blob = container.getBlockBlobClient("k/snap shots/1.json");
    const expiresOn = new Date(Date.now() + 3_600_000);
    const url = await blob.generateSasUrl({ permissions: BlobSASPermissions.parse("cw"), expiresOn });
    const { etag } = await new BlockBlobClient(url).upload("{}", 2, {
      blobHTTPHeaders: { blobContentType: "application/json" },
    });
    await settled();

    expect(delivered).toHaveLength(1);
    const [event] = delivered;
    expect(event?.functionName).toBe("snapshot-written");
    expect(event?.headers).toMatchObject({
      "aeg-event-type": "Notification",
      "content-type": "application/cloudevents+json; charset=utf-8",
    });
    expect(event?.body).toMatchObject({
      specversion: "1.0",
      type: "Microsoft.Storage.BlobCreated",
      source: expect.stringContaining("/storageAccounts/devstoreaccount1"),
      subject: `/blobServices/default/containers/${container.containerName}/blobs/k/snap shots/1.json`,
      data: {
        api: "PutBlob",
        eTag: etag?.replaceAll('"', ""),
        contentLength: 2,
        contentType: "application/json",
        blobType: "BlockBlob",
        url: blob.url.replaceAll("%2F", "/"),
        sequencer: expect.stringMatching(/^[0-9a-f]{48}$/),
        storageDiagnostics: { batchId: expect.any(String) },
      },
    });
    expect(JSON.stringify(event)).not.toContain("sig=");
  });

  test("tells the length of a blob made of blocks, and of copies and append blobs", async () => {
    const { hostUrl, delivered } = await aHost();
    await subscribed(hostUrl, { functionName: "f" });
    const blocks = container.getBlockBlobClient("blocks");
    const id = Buffer.from("1").toString("base64");
    await blocks.stageBlock(id, "12345", 5);
    await blocks.commitBlockList([id]);
    await (await container.getBlockBlobClient("copy").beginCopyFromURL(blocks.url)).pollUntilDone();
    await container.getAppendBlobClient("log").create();
    await container.getAppendBlobClient("log").appendBlock("x", 1);
    await settled();

    const seen = delivered.map(({ body: { data } }) => [data.api, data.blobType, data.contentLength]);
    expect(seen.sort()).toEqual([
      ["CopyBlob", "BlockBlob", 5],
      ["PutBlob", "AppendBlob", 0],
      ["PutBlockList", "BlockBlob", 5],
    ]);
  });

  test("is not raised by a write that failed", async () => {
    const { hostUrl, delivered } = await aHost();
    await subscribed(hostUrl, { functionName: "f" });
    await upload("a");
    await expect(
      container.getBlockBlobClient("a").upload("x", 1, { conditions: { ifNoneMatch: "*" } }),
    ).rejects.toMatchObject({ statusCode: 409 });
    await settled();

    expect(delivered).toHaveLength(1);
  });

  test("has sequencers that grow with each write", async () => {
    const { hostUrl, delivered } = await aHost();
    await subscribed(hostUrl, { functionName: "f" });
    for (const name of ["a", "b", "c"]) {
      await upload(name);
      await settled();
    }

    const sequencers = delivered.map(({ body }) => body.data.sequencer);
    expect(sequencers).toEqual([...new Set(sequencers)].sort());
  });
});

test("BlobDeleted comes in the Event Grid schema when asked for", async () => {
  const { hostUrl, delivered } = await aHost();
  await upload("a");
  const includedEventTypes = ["Microsoft.Storage.BlobDeleted" as const];
  await subscribed(hostUrl, { functionName: "f", includedEventTypes, schema: "eventGrid" });
  await upload("b");
  await container.getBlobClient("a").delete();
  await settled();

  expect(delivered.map(({ body }) => body)).toMatchObject([
    [
      {
        eventType: "Microsoft.Storage.BlobDeleted",
        topic: expect.stringContaining("devstoreaccount1"),
        subject: expect.stringMatching(/\/blobs\/a$/),
        data: { api: "DeleteBlob" },
        dataVersion: "",
        metadataVersion: "1",
      },
    ],
  ]);
});

describe("a subscription", () => {
  test("gets only the subjects it filters for", async () => {
    const { hostUrl, delivered } = await aHost();
    const subjectBeginsWith = `/blobServices/default/containers/${container.containerName}/`;
    await subscribed(hostUrl, { functionName: "f", subjectBeginsWith, subjectEndsWith: ".manifest.json" });
    await upload("a.zip");
    await upload("a.manifest.json");
    await settled();

    expect(delivered.map(({ body }) => body.subject)).toEqual([`${subjectBeginsWith}blobs/a.manifest.json`]);
  });
});

describe("delivery", () => {
  test("is tried again after a failure, with the same event", async () => {
    const { hostUrl, delivered } = await aHost(500, 404);
    await subscribed(hostUrl, { functionName: "f" });
    await upload("a");
    await settled();

    expect(delivered.map(({ headers }) => headers["aeg-delivery-count"])).toEqual(["1", "2", "3"]);
    expect(new Set(delivered.map(({ body }) => body.id)).size).toBe(1);
    expect(storage.deadLetters()).toEqual([]);
  });

  test.each([400, 401, 403, 413])("gives up at once on %d", async (status) => {
    const { hostUrl, delivered } = await aHost(status);
    await subscribed(hostUrl, { functionName: "f" });
    await upload("a");
    await settled();

    expect(delivered).toHaveLength(1);
    expect(storage.deadLetters()).toMatchObject([{ functionName: "f", attempts: 1, reason: `answered ${status}` }]);
    const listed = await (await fetch(`${storage.url}/__admin/dead-letters`)).json();
    expect(listed).toMatchObject([{ event: { subject: expect.stringMatching(/\/a$/) } }]);
  });

  test("gives up after its last attempt, also on a host that is not there", async () => {
    await subscribed("http://127.0.0.1:9", { functionName: "f" });
    await upload("a");
    await settled();

    expect(storage.deadLetters()).toMatchObject([{ attempts: 3 }]);
  });

  test("is taken up again by the next start", async () => {
    const ownDir = await temporaryDir();
    const before = await startStorage({ dir: ownDir });
    const events = { subscriptions: [{ functionName: "f" }], retryDelaysMs: [60_000] };
    await before.setSubscriptions({ ...events, hostUrl: "http://127.0.0.1:9" });
    const vault = BlobServiceClient.fromConnectionString(before.connectionString).getContainerClient("vault");
    await vault.create();
    await vault.getBlockBlobClient("head.json").upload("{}", 2);
    await before.stop();

    const { hostUrl, delivered } = await aHost();
    const after = await startStorage({ dir: ownDir, events: { ...events, hostUrl } });
    await expect.poll(() => after.pendingEvents()).toBe(0);
    await after.setSubscriptions({ ...events, hostUrl });
    await after.stop();
    expect(delivered.map(({ body }) => body.subject)).toEqual([
      "/blobServices/default/containers/vault/blobs/head.json",
    ]);
  });

  test("is dropped for a function that is no longer subscribed", async () => {
    await storage.setSubscriptions({ hostUrl: "http://127.0.0.1:9", subscriptions: [{ functionName: "old" }] });
    await upload("a");
    await expect.poll(() => storage.pendingEvents()).toBe(1);
    const { hostUrl, delivered } = await aHost();
    await subscribed(hostUrl, { functionName: "new" });
    await subscribed(hostUrl, { functionName: "old" });
    await settled();

    expect(delivered).toEqual([]);
  });

  test("can be doubled", async () => {
    const { hostUrl, delivered } = await aHost();
    await subscribed(hostUrl, { functionName: "f" });
    storage.setDelivery({ duplicates: true });
    await upload("a");
    await settled();

    expect(delivered).toHaveLength(2);
    expect(delivered[0]?.body.id).toBe(delivered[1]?.body.id);
  });

  test("can be out of order", async () => {
    const { hostUrl, delivered } = await aHost();
    await subscribed(hostUrl, { functionName: "f" });
    storage.setDelivery({ reordering: true });
    await upload("first");
    await upload("second");
    await settled();

    expect(delivered.map(({ body }) => body.subject.split("/").at(-1))).toEqual(["second", "first"]);
  });
});
