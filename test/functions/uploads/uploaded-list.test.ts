import { describe, expect, test } from "vitest";
import { readAsked, readListCall } from "../../../functions/restore/request/list-request-state.ts";
import { PROBLEM } from "../fake-hub.ts";
import { ADA, anApi } from "./an-upload.ts";

const reason = "ticket 4711";
const all = { select: { all: true } };

/** Restores of a list as lines. */
const lines = (count: number, from = 0, more: object = {}): string =>
  Array.from({ length: count }, (_, n) => JSON.stringify({ mailbox: `${from + n}@x.example`, ...more })).join("\n");

const filled = async (...pieces: readonly string[]) => {
  const api = await anApi();
  const id = await api.created({ of: "restores" });
  for (const [piece, text] of pieces.entries()) expect((await api.put(id, piece, text)).status).toBe(201);
  const start = (more: object = all, count = pieces.length) =>
    api.restore({ body: { upload: id, pieces: count, reason, ...more } });
  const lists = () => api.started.filter(({ name }) => name === "restore-mailboxes");
  return { ...api, id, listId: id.slice("restores-".length), start, lists };
};

describe("POST /api/restores, of an upload", () => {
  test("starts one list of all pieces, as the job of its id", async () => {
    const { start, lists, id, listId, work, audit } = await filled(lines(600), lines(400, 600, { priority: "high" }));
    const { status, body } = await start();

    const { job, restores } = body as { job: string; restores: { job: string }[] };
    expect([status, job, new Set(restores.map((restore) => restore.job)).size]).toEqual([202, id, 1_000]);
    expect(lists()).toEqual([
      { name: "restore-mailboxes", instanceId: id, input: { listId, restores: 1_000, window: 2 } },
    ]);
    expect((await readAsked(work, listId, 0))[0]?.spec).toMatchObject({ mailbox: "0@x.example", priority: "normal" });
    const last = { mailbox: "999@x.example", priority: "high", select: { all: true } };
    expect((await readAsked(work, listId, 999))[0]).toMatchObject({ spec: last });
    expect(await readListCall(work, listId)).toMatchObject({ principal: ADA.id, reason, dryRun: false });
    expect([...audit.blobs.values()].join()).toContain(`"job":"${id}"`);
  });

  test("starts once: the same call has the same answer, another one 409 with the job", async () => {
    const { start, lists, id } = await filled(lines(2));
    const [first, second] = await Promise.all([start(), start()]);

    expect(second).toEqual(first);
    expect(await start()).toEqual(first);
    expect(await start({ ...all, dryRun: true })).toMatchObject({
      status: 409,
      headers: PROBLEM,
      body: { type: "/problems/upload-started", job: id },
    });
    expect(lists()).toHaveLength(1);
  });

  test("is not taken by a call that is refused", async () => {
    const { start, lists } = await filled(lines(1), lines(1, 1));
    const repeated = await filled(lines(1), lines(1));

    expect(await start({})).toMatchObject({
      status: 400,
      body: { errors: [{ field: "restores.0.select" }, { field: "restores.1.select" }] },
    });
    expect(await start({ ...all, restores: [] })).toMatchObject({
      status: 400,
      body: { errors: [{ field: "restores" }] },
    });
    expect(await start({ ...all, extra: 1 })).toMatchObject({ status: 400 });
    expect(await start(all, 1)).toMatchObject({ status: 409, body: { surplus: [1] } });
    expect(await start(all, 9)).toMatchObject({ status: 400, body: { errors: [{ field: "pieces" }] } });
    expect(lists()).toEqual([]);
    expect((await start()).status).toBe(202);
    const refused = { type: "/problems/list-refused", refused: [{ position: 1, type: "/problems/restore-repeated" }] };
    expect(await repeated.start()).toMatchObject({ status: 400, body: refused });
  });

  test("has a thousand restores at most", async () => {
    const { start, lists } = await filled(lines(1_000), lines(1, 1_000));

    expect(await start()).toMatchObject({ status: 400, body: { type: "/problems/upload-too-long" } });
    expect(lists()).toEqual([]);
  });
});
