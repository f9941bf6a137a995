import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ContainerClient } from "@azure/storage-blob";
import { afterEach, expect, test } from "vitest";
import type { AuditEntry } from "../../../shared/audit/audit-log.ts";
import { blobAuditLog } from "../../../shared/audit/blob-audit-log.ts";

let server: Server | undefined;
afterEach(() => void server?.close());

const ENTRY: AuditEntry<"vault"> = {
  event: "hold-released",
  at: "2026-11-22T01:00:00.000Z",
  principal: "0a0a0a0a-1111-4222-8333-444444444444",
  mailbox: "knfnegjfinmgyfzwengnrsjbqa",
};

/** A log whose blob is not there at the first append, and that refuses to have it made. */
const aLog = async (refusal: string) => {
  const asked: string[] = [];
  server = createServer((request, response) => {
    request.resume();
    const isAppend = request.url?.includes("comp=appendblock");
    asked.push(isAppend ? "append" : "make");
    const appends = asked.filter((what) => what === "append").length;
    const [status, code] = !isAppend ? [403, refusal] : appends === 1 ? [404, "BlobNotFound"] : [201, ""];
    response.writeHead(status, { "content-type": "application/xml", "x-ms-error-code": code });
    response.end(code === "" ? "" : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>No.</Message></Error>`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { log: blobAuditLog(new ContainerClient(`http://127.0.0.1:${port}/account/audit`)), asked };
};

test("a blob that another process made meanwhile is appended to where making it is refused", async () => {
  const { log, asked } = await aLog("AuthorizationPermissionMismatch");
  await log.append("vault", ENTRY);

  expect(asked).toEqual(["append", "make", "append"]);
});

test("any other refusal fails", async () => {
  const { log, asked } = await aLog("AuthorizationFailure");
  await expect(log.append("vault", ENTRY)).rejects.toMatchObject({ statusCode: 403 });

  expect(asked).toEqual(["append", "make"]);
});
