import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { pacedBody, watchResponses } from "../../../shared/http/paced-body.ts";

const PIECE = Buffer.alloc(256 * 1024, 7);
const PIECES = 120;

/** A server that writes a paced body as @azure/functions does: without waiting for the caller. */
const aDownload = async () => {
  watchResponses();
  watchResponses();
  const seen = { read: 0, ended: false };
  async function* content(): AsyncGenerator<Uint8Array> {
    try {
      for (; seen.read < PIECES; seen.read += 1) yield PIECE;
    } finally {
      seen.ended = true;
    }
  }
  const server = createServer((request, response) => {
    void (async () => {
      for await (const piece of pacedBody(String(request.headers["x-ms-invocation-id"]), content()))
        response.write(piece);
      response.end();
    })().catch(() => response.destroy());
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const answer = await new Promise<IncomingMessage>((resolve) =>
    get({ host: "127.0.0.1", port, headers: { "x-ms-invocation-id": "an-invocation" } }, resolve),
  );
  return { seen, answer };
};

test("a body is read no faster than its caller takes it, and arrives whole", async () => {
  const { seen, answer } = await aDownload();
  let stalledAt = -1;
  await expect
    .poll(() => {
      const stands = seen.read === stalledAt;
      stalledAt = seen.read;
      return stands && seen.read > 0;
    })
    .toBe(true);
  expect(seen.read).toBeLessThan(PIECES / 2);

  let bytes = 0;
  for await (const piece of answer) bytes += (piece as Buffer).length;
  expect(bytes).toBe(PIECES * PIECE.length);
});

test("a body is closed when its caller goes away", async () => {
  const { seen, answer } = await aDownload();
  answer.destroy();

  await expect.poll(() => seen.ended).toBe(true);
  expect(seen.read).toBeLessThan(PIECES);
});
