import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { AnonymousCredential, ContainerClient } from "@azure/storage-blob";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { azureBlobs } from "../../../shared/storage/azure-blobs.ts";
import { type Blobs, collect } from "../../../shared/storage/blobs.ts";

const CONTENT = Buffer.from(Array.from({ length: 1_000 }, (_, index) => index % 256));

/** What becomes of one request: it sends some bytes of what was asked for, and then this. */
type Fate = { readonly sends?: number; readonly end?: "stalls" | "is-cut" | "hangs" };

/** A server that holds one blob, and treats its requests as scripted; later ones go well. */
const aBlobServer = async (...fates: readonly Fate[]) => {
  const asked: { range: string | undefined; ifMatch: string | undefined }[] = [];
  const stored = { etag: '"first"' };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { "x-ms-range": range, "if-match": ifMatch } = request.headers;
    const { sends, end } = fates[asked.length] ?? {};
    asked.push({ range: range?.toString(), ifMatch });
    if (end === "hangs") return;
    if (ifMatch !== undefined && ifMatch !== stored.etag)
      return void response.writeHead(412, { "x-ms-error-code": "ConditionNotMet" }).end();
    const [from = "0", to = ""] = range?.toString().replace("bytes=", "").split("-") ?? [];
    const body = CONTENT.subarray(Number(from), to === "" ? CONTENT.length : Number(to) + 1);
    response.writeHead(range === undefined ? 200 : 206, { "content-length": body.length, etag: stored.etag });
    if (sends === undefined) return void response.end(body);
    response.write(body.subarray(0, sends), () => end === "is-cut" && request.socket.resetAndDestroy());
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/work`;
  const blobs = azureBlobs(new ContainerClient(url, new AnonymousCredential()), { idleMs: 200 });
  return { blobs, asked, stored };
};

const open = async (blobs: Blobs, range?: { offset: number; length: number }): Promise<AsyncIterable<Uint8Array>> => {
  const body = await blobs.read("a", range);
  if (body === undefined) throw new Error("The blob is not there");
  return body;
};

const BROKEN = ["stalls", "is-cut"] as const;

describe("a download from Blob Storage", () => {
  test.each(BROKEN)("goes on with the rest, in the same version, after it %s", async (end) => {
    const { blobs, asked } = await aBlobServer({ sends: 300, end }, { sends: 200, end });

    expect((await blobs.readWhole("a"))?.body).toEqual(CONTENT);
    expect(asked).toEqual([
      { range: undefined, ifMatch: undefined },
      { range: "bytes=300-999", ifMatch: '"first"' },
      { range: "bytes=500-999", ifMatch: '"first"' },
    ]);
  });

  test.each(BROKEN)("of a range goes on within it after it %s", async (end) => {
    const { blobs, asked } = await aBlobServer({ sends: 30, end });

    expect(await collect(await open(blobs, { offset: 100, length: 50 }))).toEqual(CONTENT.subarray(100, 150));
    expect(asked.map(({ range }) => range)).toEqual(["bytes=100-149", "bytes=130-149"]);
  });

  test("is asked for again when no answer begins", async () => {
    const { blobs, asked } = await aBlobServer({ end: "hangs" }, { sends: 10, end: "stalls" }, { end: "hangs" });

    expect((await blobs.readWhole("a"))?.body).toEqual(CONTENT);
    expect(asked.map(({ range }) => range)).toEqual([undefined, undefined, "bytes=10-999", "bytes=10-999"]);
  });

  test.each(BROKEN)("fails when it %s again and again", async (end) => {
    const { blobs, asked } = await aBlobServer(...Array.from({ length: 9 }, () => ({ sends: 10, end })));

    await expect(blobs.readWhole("a")).rejects.toThrow();
    expect(asked).toHaveLength(6);
  });

  test("fails when no answer ever begins", async () => {
    const { blobs, asked } = await aBlobServer(...Array.from({ length: 9 }, () => ({ end: "hangs" }) as const));

    await expect(blobs.readWhole("a")).rejects.toThrow();
    expect(asked).toHaveLength(6);
  });

  test("fails when the blob was replaced meanwhile: two versions are never mixed", async () => {
    const { blobs, stored } = await aBlobServer({ sends: 300, end: "stalls" });

    const body = await open(blobs);
    stored.etag = '"second"';

    await expect(collect(body)).rejects.toMatchObject({ statusCode: 412 });
  });

  test("waits for its consumer as long as that takes", async () => {
    const { blobs, asked } = await aBlobServer();
    const read: Uint8Array[] = [];
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());

    for await (const piece of await open(blobs)) {
      vi.advanceTimersByTime(3_600_000);
      read.push(piece);
    }

    expect(Buffer.concat(read)).toEqual(CONTENT);
    expect(asked).toHaveLength(1);
  });
});
