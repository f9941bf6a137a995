import { type HttpHandler, HttpRequest, HttpResponse, InvocationContext } from "@azure/functions";
import { describe, expect, test } from "vitest";
import { deletePersonalDataExport } from "../../../functions/personal-data/delete-personal-data-export.http.ts";
import { getPersonalDataExport } from "../../../functions/personal-data/get-personal-data-export.http.ts";
import { getPersonalDataFile } from "../../../functions/personal-data/get-personal-data-file.http.ts";
import { packageName } from "../../../functions/personal-data/package-names.ts";
import type { SignedInHandler } from "../../../shared/http/guard.ts";
import { memoryAuditLog } from "../../shared/audit/memory-audit-log.ts";
import { aFakeHub, ask, PROBLEM } from "../fake-hub.ts";
import { aPackage, exportId, job } from "./a-finished-export.ts";

const DAY_MS = 86_400_000;
const OFFICER = { id: "0a0a0a0a-1111-4222-8333-444444444444", roles: ["Privacy.Officer"] };
const asJson = (line: string): unknown => JSON.parse(line);
const files = { "OneDrive/a b#1.txt": "0123456789", "RequestInfo.json": "{}" };

type Instances = Parameters<typeof aFakeHub>[0];
const ended: Instances = { [job]: { runtimeStatus: "Completed", name: "export-personal-data", output: { files: 2 } } };
const running: Instances = {
  [job]: { runtimeStatus: "Running", name: "export-personal-data", customStatus: { phase: "waiting", progress: 40 } },
};

const anExport = async (instances: Instances = ended) => {
  const kit = await aPackage(files);
  const audit = memoryAuditLog();
  const deps = { ...kit, ...aFakeHub(instances), audit, deadlineMs: 30 * DAY_MS };
  const asOfficer =
    (handler: SignedInHandler): HttpHandler =>
    (request, context) =>
      handler(request, context, OFFICER);
  const audited = () => [...audit.blobs.values()].flatMap((text) => text.trimEnd().split("\n")).map(asJson);
  const get = (id = job, query = {}) => ask(getPersonalDataExport(deps), { params: { id }, query });
  const remove = (id = job) => ask(asOfficer(deletePersonalDataExport(deps)), { method: "DELETE", params: { id } });
  const read = (name: string, headers: Record<string, string> = {}, id = job) =>
    bytesFrom(asOfficer(getPersonalDataFile(deps)), { id, name }, headers);
  return { ...kit, get, remove, read, audited };
};

/** Calls a handler as the host does, and reads its answer to the end. */
const bytesFrom = async (handler: HttpHandler, params: Record<string, string>, headers: Record<string, string>) => {
  const request = new HttpRequest({ method: "GET", url: "http://localhost:7071/api/any", params, headers });
  const answer = await handler(request, new InvocationContext({ invocationId: "an-invocation" }));
  const response = new HttpResponse(answer ?? {});
  return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
};

describe("GET /api/personal-data-exports/{id}", () => {
  test("has the progress of a running export, and the date when an answer is due", async () => {
    const { get } = await anExport(running);

    expect(await get()).toMatchObject({
      status: 200,
      headers: { "retry-after": "30" },
      body: {
        id: job,
        state: "running",
        progress: { phase: "waiting", progress: 40 },
        submitted: "2026-11-22T01:00:00.000Z",
        deadline: "2026-12-22T01:00:00.000Z",
        package: "kept",
      },
    });
  });

  test("has the inventory of a finished export, with the address of each file", async () => {
    const { get, list, read } = await anExport();
    await list();

    const { body, headers } = await get();

    expect(headers).not.toHaveProperty("retry-after");
    expect(body).toMatchObject({
      state: "completed",
      result: { files: 2 },
      inventory: {
        files: [
          {
            name: "OneDrive/a b#1.txt",
            bytes: 10,
            md5: "781e5e245d69b566979b86e28d23f2c7",
            sha256: "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882",
            href: `/api/personal-data-exports/${job}/files/OneDrive/a%20b%231.txt`,
          },
          { name: "RequestInfo.json" },
        ],
      },
    });
    expect(Object(body).inventory.next).toBeUndefined();
    expect((await read("_vault/inventory.jsonl")).status).toBe(200);
  });

  test("has the inventory in pages", async () => {
    const { get, list } = await anExport();
    await list();

    const first = Object((await get(job, { pageSize: "1" })).body).inventory;
    const second = Object((await get(job, { pageSize: "1", page: first.next })).body).inventory;
    expect([first, second].map(({ files }) => files.map(({ name }: { name: string }) => name))).toEqual([
      ["OneDrive/a b#1.txt"],
      ["RequestInfo.json"],
    ]);
    expect(second.next).toBeUndefined();
  });

  test("has the error of a failed export", async () => {
    const { get } = await anExport({ [job]: { runtimeStatus: "Failed", output: "Microsoft's export failed" } });

    expect((await get()).body).toMatchObject({ state: "failed", error: "Microsoft's export failed" });
  });

  test("has the package of an export whose history was purged", async () => {
    const { get, list } = await anExport({});
    await list();

    expect((await get()).body).toMatchObject({ state: "unknown", package: "kept", inventory: { files: [{}, {}] } });
  });

  test.each([["page"], ["pageSize"], ["surprise"]])("is 400 for an invalid %s", async (parameter) => {
    const { get } = await anExport();

    expect(await get(job, { [parameter]: "x" })).toMatchObject({ status: 400, headers: PROBLEM });
  });
});

describe("GET /api/personal-data-exports/{id}/files/{name}", () => {
  const name = "OneDrive/a b#1.txt";

  test("is the whole file, which no browser shows and no proxy stores", async () => {
    const { read } = await anExport();

    const { status, headers, text } = await read(name);
    expect([status, text]).toEqual([200, "0123456789"]);
    expect(headers).toMatchObject({
      "content-type": "application/octet-stream",
      "content-disposition": "attachment",
      "content-length": "10",
      "cache-control": "no-store",
      "accept-ranges": "bytes",
      "x-content-type-options": "nosniff",
    });
  });

  test.each([
    ["bytes=2-4", "234", "bytes 2-4/10"],
    ["bytes=7-", "789", "bytes 7-9/10"],
    ["bytes=-2", "89", "bytes 8-9/10"],
  ])("is a part of it for the range %s", async (range, part, contentRange) => {
    const { read } = await anExport();

    expect(await read(name, { range })).toMatchObject({
      status: 206,
      text: part,
      headers: { "content-range": contentRange, "content-length": String(part.length) },
    });
  });

  test.each([
    ["several ranges", { range: "bytes=0-1,3-4" }],
    ["no range", { range: "pages=1" }],
    ["a range of a version", { range: "bytes=0-1", "if-range": '"1"' }],
  ])("is the whole file for %s", async (_, headers) => {
    const { read } = await anExport();

    expect(await read(name, headers)).toMatchObject({ status: 200, text: "0123456789" });
  });

  test("is 416 with the size for a range beyond the end", async () => {
    const { read } = await anExport();

    expect(await read(name, { range: "bytes=10-" })).toMatchObject({
      status: 416,
      headers: { ...PROBLEM, "content-range": "bytes */10" },
    });
  });

  test.each(["nothing", "OneDrive", "", "..", "../vault/x", "OneDrive/../../vault/head.json", "x".repeat(5_000)])(
    "is 404 for %j",
    async (name) => {
      const { read } = await anExport();

      expect(await read(name)).toMatchObject({ status: 404, headers: PROBLEM });
    },
  );
});

describe("DELETE /api/personal-data-exports/{id}", () => {
  test("removes every container of the export, and answers the same again", async () => {
    const { remove, packages, read, get } = await anExport();
    await packages.make(packageName(exportId, 2));

    expect((await remove()).status).toBe(204);
    expect(await packages.find(exportId)).toEqual([]);
    expect((await remove()).status).toBe(204);
    expect((await read("RequestInfo.json")).status).toBe(404);
    expect((await get()).body).toMatchObject({ state: "completed", package: "absent" });
  });

  test("removes the package of an export whose history was purged", async () => {
    const { remove, packages } = await anExport({});

    expect((await remove()).status).toBe(204);
    expect(await packages.find(exportId)).toEqual([]);
  });

  test.each(["Running", "Pending", "Suspended"])(
    "is 409 while it is %s, and removes nothing",
    async (runtimeStatus) => {
      const { remove, packages } = await anExport({ [job]: { runtimeStatus } });

      expect(await remove()).toMatchObject({ status: 409, headers: PROBLEM, body: { job } });
      expect(await packages.find(exportId)).toHaveLength(1);
    },
  );
});

test.each([
  "personal-data-20200101T000000Z-abc234",
  "20261122T010000Z-abc234",
  "restore-20261122T010000Z-abc234",
  "..",
  "",
  "x".repeat(5_000),
])("the export %j is 404 for every request", async (id) => {
  const { get, remove, read } = await anExport();

  for (const { status, headers } of [await get(id), await remove(id), await read("RequestInfo.json", {}, id)])
    expect([status, headers]).toMatchObject([404, PROBLEM]);
});

describe("the audit log of a package", () => {
  const line = (event: string) => expect.objectContaining({ event, principal: OFFICER.id, job });

  test("has who read a file, once for a download in parts, and who removed the package", async () => {
    const { read, remove, audited } = await anExport();

    await read("RequestInfo.json");
    await read("OneDrive/a b#1.txt", { range: "bytes=0-4" });
    await read("OneDrive/a b#1.txt", { range: "bytes=5-9" });
    expect(audited()).toEqual([line("personal-data-read"), line("personal-data-read")]);

    await remove();
    await remove();
    expect(audited().slice(2)).toEqual([line("personal-data-removed")]);
  });

  test("has nothing of a file that is not there", async () => {
    const { read, audited } = await anExport();
    expect((await read("nothing.txt")).status).toBe(404);
    expect(audited()).toEqual([]);
  });
});
