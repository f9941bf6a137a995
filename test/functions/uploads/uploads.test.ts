import { RestError } from "@azure/core-rest-pipeline";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { idReader } from "../../../functions/id-translation/translation-state.ts";
import { MAX_BODY_BYTES } from "../../../shared/http/body.ts";
import { UPN } from "../../local/graph/kit.ts";
import { PROBLEM } from "../fake-hub.ts";
import { ADA, anApi, BO, someIds } from "./an-upload.ts";

const HOUR = 3_600_000;
const UPLOAD = /^translate-\d{8}T\d{6}Z-[a-z2-7]{6}$/;
const FORMATS = { mailbox: UPN, from: "restId", to: "ewsId" };

const problem = (status: number, kind: string, more: object = {}) => ({
  status,
  headers: PROBLEM,
  body: { type: `/problems/${kind}`, ...more },
});

const atNoon = () => {
  vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-11-22T12:00:00Z") });
  onTestFinished(() => void vi.useRealTimers());
};

describe("POST /api/uploads", () => {
  test("creates an upload, with the id of its job to be", async () => {
    atNoon();
    const { create, started } = await anApi();
    const { status, headers, body } = await create({ body: { of: "ids", from: "restId" } });

    const { upload } = body as { upload: string };
    expect([status, headers["location"]]).toEqual([201, `/api/uploads/${upload}`]);
    expect(upload).toMatch(UPLOAD);
    expect(body).toEqual({ upload, location: `/api/uploads/${upload}`, expires: "2026-11-23T12:00:00.000Z" });
    expect(started).toEqual([]);
  });

  test("creates one for all calls with the same key, until it expires", async () => {
    atNoon();
    const { create } = await anApi();
    const call = { body: { of: "restores" }, key: "k1" };
    const first = await create(call);

    vi.setSystemTime(Date.now() + 23 * HOUR);
    expect(await create(call)).toEqual(first);
    expect((await create({ ...call, body: { of: "ids", from: "restId" } })).status).toBe(422);
    vi.setSystemTime(Date.now() + 2 * HOUR);
    expect((await create(call)).body).not.toEqual(first.body);
  });

  test.each<[body: unknown, field: string]>([
    ["no JSON", "(body)"],
    [{}, "of"],
    [{ of: "mailboxes" }, "of"],
    [{ of: "ids" }, "from"],
    [{ of: "ids", from: "hexId" }, "from"],
    [{ of: "restores", from: "restId" }, "(body)"],
  ])("refuses %j and names the field %s", async (body, field) => {
    const { create } = await anApi();
    expect(await create({ body })).toMatchObject(problem(400, "invalid-request", { errors: [{ field }] }));
  });

  test("needs the role to restore for restores", async () => {
    const { create } = await anApi();
    const reader = { ...ADA, roles: ["Vault.Reader"] };

    expect(await create({ body: { of: "restores" } }, reader)).toMatchObject(problem(403, "role-missing"));
    expect((await create({ body: { of: "ids", from: "restId" } }, reader)).status).toBe(201);
  });
});

describe("PUT /api/uploads/{id}/pieces/{piece}", () => {
  test("keeps a piece once: the same again changes nothing, another one is refused", async () => {
    const { created, put, get } = await anApi();
    const id = await created();

    expect(await put(id, 0, "AAAA\r\n\nBBBB\n")).toMatchObject({ status: 201, body: { piece: 0, lines: 2 } });
    expect(await put(id, 0, "AAAA\r\n\nBBBB\n")).toMatchObject({ status: 200, body: { piece: 0, lines: 2 } });
    expect(await put(id, 0, "CCCC")).toMatchObject(problem(409, "piece-differs"));
    expect((await put(id, 2, "CCCC")).status).toBe(201);
    expect(await get(id)).toMatchObject({ status: 200, body: { of: "ids", from: "restId", pieces: [0, 2] } });
  });

  test("keeps one of two that come at the same time with other lines, and says so to the other", async () => {
    const { created, put, translate, work } = await anApi();
    const id = await created();

    const answers = await Promise.all(["AAAA", "BBBB", "AAAA"].map((body) => put(id, 0, body)));

    const statuses = answers.map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([200, 201, 409]);
    await translate({ body: { ...FORMATS, upload: id, pieces: 1 } });
    const kept = await (await idReader(work, id.slice("translate-".length)))(0);
    expect(kept).toEqual([statuses.indexOf(409) === 1 ? "AAAA" : "BBBB"]);
  });

  test("has 4 MB at most", async () => {
    const { created, put } = await anApi();
    const id = await created();
    const lines = `${"A".repeat(1_024)}\n`.repeat(4_091);
    const piece = lines.padEnd(MAX_BODY_BYTES, "\n");

    expect(await put(id, 0, piece)).toMatchObject({ status: 201, body: { lines: 4_091 } });
    expect(await put(id, 1, `${piece}\n`)).toMatchObject(problem(413, "body-too-large", { maxBytes: MAX_BODY_BYTES }));
  });

  test.each<[body: string, field: string]>([
    ["", "lines"],
    ["\n \r\n", "lines"],
    [`AAAA\n${"A".repeat(1_028)}`, "lines.1"],
    ["AAAA\n".repeat(100_001), "lines"],
  ])("refuses what cannot be ids, and names the line (%#)", async (body, field) => {
    const { created, put, get } = await anApi();
    const id = await created();

    expect(await put(id, 0, body)).toMatchObject(problem(400, "invalid-request", { errors: [{ field }] }));
    expect((await get(id)).body).toMatchObject({ pieces: [] });
  });

  test("names ids that cannot be of their format, by their position in the piece", async () => {
    const { created, put } = await anApi();
    const malformed = problem(400, "malformed-ids", { count: 2, positions: [1, 2] });

    expect(await put(await created(), 0, "AAAA\n\nAA/A\n\u0000\u0001zz\n")).toMatchObject(malformed);
  });

  test.each<[line: string, field: string]>([
    ["no JSON", "lines.1"],
    ['{"mailbox": ""}', "lines.1.mailbox"],
    ['{"mailbox": "a", "reason": "x"}', "lines.1"],
    ["[]", "lines.1"],
  ])("refuses %s as a restore, and names %s", async (line, field) => {
    const { created, put } = await anApi();
    const id = await created({ of: "restores" });

    const { status, body } = await put(id, 0, `{"mailbox": "a"}\n${line}\n`);
    expect([status, (body as { errors: { field: string }[] }).errors.map((error) => error.field)]).toEqual([
      400,
      [field],
    ]);
  });

  test.each(["-1", "1000", "1.5", "../x", ""])("refuses %j as a number", async (piece) => {
    const { created, put } = await anApi();
    const invalid = problem(400, "invalid-request", { errors: [{ field: "piece" }] });

    expect(await put(await created(), piece, "AAAA")).toMatchObject(invalid);
  });

  test("knows no upload of another caller, nor what is none", async () => {
    const { created, put, get, translate } = await anApi();
    const id = await created();
    await put(id, 0, "AAAA");
    const unknown = problem(404, "upload-not-found");

    expect(await put(id, 1, "AAAA", BO)).toMatchObject(unknown);
    expect(await get(id, BO)).toMatchObject(unknown);
    expect(await translate({ body: { ...FORMATS, upload: id, pieces: 1 } }, BO)).toMatchObject(unknown);
    for (const none of ["", "../state", "backup-tenant", "translate-20200101T000000Z-abc234"])
      expect(await put(none, 0, "AAAA")).toMatchObject(unknown);
  });

  test("takes nothing more once the upload has expired", async () => {
    atNoon();
    const { created, put, get, translate } = await anApi();
    const id = await created();
    await put(id, 0, "AAAA");
    vi.setSystemTime(Date.now() + 25 * HOUR);

    const expired = problem(410, "upload-expired");
    expect(await put(id, 1, "AAAA")).toMatchObject(expired);
    expect(await get(id)).toMatchObject(expired);
    expect(await translate({ body: { ...FORMATS, upload: id, pieces: 1 } })).toMatchObject(expired);
  });

  test("answers 503 while storage is away, and keeps the piece when it is sent again", async () => {
    let isAway = true;
    const { created, put } = await anApi((work) => ({
      ...work,
      create: (name, ...rest) =>
        isAway && name.includes("/pieces/")
          ? Promise.reject(new RestError("getaddrinfo ENOTFOUND", { code: "ENOTFOUND" }))
          : work.create(name, ...rest),
    }));
    const id = await created();

    expect(await put(id, 0, "AAAA")).toMatchObject(problem(503, "service-away"));
    isAway = false;
    expect((await put(id, 0, "AAAA")).status).toBe(201);
  });

  test("leaves nothing of the caller or the lines in the name of a blob", async () => {
    const { created, put, work } = await anApi();
    const before = new Set(work.blobs.keys());
    await put(await created({ of: "restores" }), 0, `{"mailbox": "${UPN}"}`);

    const names = [...work.blobs.keys()].filter((name) => !before.has(name)).join();
    expect(names).toMatch(
      /^restores-[\dTZ]+-[a-z2-7]{6}\/upload.json,restores-[\dTZ]+-[a-z2-7]{6}\/pieces\/p000000.txt$/,
    );
  });
});

describe("an upload of ids", () => {
  const filled = async (pieces: readonly number[]) => {
    const api = await anApi();
    const id = await api.created();
    for (const piece of pieces) await api.put(id, piece, someIds(1_500, piece).join("\n"));
    const start = (count: number, more: object = {}, key?: string) =>
      api.translate({ body: { ...FORMATS, ...more, upload: id, pieces: count }, ...(key !== undefined && { key }) });
    return { ...api, id, start };
  };

  test("becomes the job of its id, with all pieces in their order", async () => {
    const { start, id, started, work, mailbox } = await filled([2, 0, 1]);
    const { status, body } = await start(3);

    const result = `/api/jobs/${id}/result`;
    expect([status, body]).toEqual([
      202,
      { job: id, location: `/api/jobs/${id}`, mailbox: mailbox.key, ids: 4_500, result },
    ]);
    const translationId = id.slice("translate-".length);
    const input = { translationId, mailbox, from: "restId", to: "ewsId", ids: 4_500, pieces: 6 };
    expect(started).toEqual([{ name: "translate-exchange-ids", instanceId: id, input }]);
    const idsOf = await idReader(work, translationId);
    expect(await idsOf(1)).toEqual(someIds(1_500, 0).slice(1_000));
    expect(await idsOf(4)).toEqual(someIds(1_500, 2).slice(0, 1_000));
    await expect(idsOf(6)).rejects.toThrow("has no piece 6");
  });

  test.each<[pieces: number[], count: number, missing: number[], surplus: number[]]>([
    [[0, 2], 3, [1], []],
    [[0, 1], 3, [2], []],
    [[0, 1, 2], 2, [], [2]],
    [[1], 1, [0], [1]],
    [[], 2, [0, 1], []],
  ])("of pieces %j is not started as %i", async (pieces, count, missing, surplus) => {
    const { start, started } = await filled(pieces);

    expect(await start(count)).toMatchObject(problem(409, "pieces-differ", { missing, surplus }));
    expect(started).toEqual([]);
  });

  test("is started once by calls at the same time, and again by the same call", async () => {
    const { start, started, id } = await filled([0]);

    const answers = await Promise.all([start(1), start(1), start(1)]);

    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await start(1)).toEqual(answers[0]);
    expect(await start(1, {}, "k1")).toEqual(answers[0]);
    expect(started.map(({ instanceId }) => instanceId)).toEqual([id]);
  });

  test("is not started with something else: 409 with the job", async () => {
    const { start, started, id, put } = await filled([0]);
    const [first, second] = await Promise.all([start(1), start(1, { to: "entryId" })]);

    const taken = problem(409, "upload-started", { job: id, location: `/api/jobs/${id}` });
    expect([first?.status, second?.status].toSorted()).toEqual([202, 409]);
    expect(first?.status === 409 ? first : second).toMatchObject(taken);
    expect(started).toHaveLength(1);
    expect(await put(id, 1, "AAAA")).toMatchObject(taken);
    expect((await put(id, 0, someIds(1_500).join("\n"))).status).toBe(200);
  });

  test("that is started while a piece is written has the whole piece, or is refused", async () => {
    const { start, put, id, work } = await filled([0]);

    const [written, answer] = await Promise.all([put(id, 1, someIds(1_200, 1).join("\n")), start(2)]);

    expect(written.status).toBe(201);
    if (answer.status === 409) expect(answer).toMatchObject(problem(409, "pieces-differ", { missing: [1] }));
    else expect((await (await idReader(work, id.slice("translate-".length)))(3)).length).toBe(200);
    expect((await start(2)).status).toBe(202);
  });

  test.each<[more: object, answer: object]>([
    [{ from: "ewsId", to: "restId" }, problem(409, "upload-format-differs")],
    [{ mailbox: "nobody@contoso.example" }, problem(404, "mailbox-not-found")],
    [{ ids: ["AAAA"] }, problem(400, "invalid-request")],
    [{ to: "restId" }, problem(400, "invalid-request", { errors: [{ field: "to" }] })],
  ])("is not taken by a call that is refused: %j", async (more, answer) => {
    const { start, started } = await filled([0]);

    expect(await start(1, more)).toMatchObject(answer);
    expect(started).toEqual([]);
    expect((await start(1)).status).toBe(202);
  });

  test("has a million ids at most", async () => {
    const { start, work, id } = await filled([0, 1]);
    const blob = work.blobs.get(`${id}/pieces/p000001.txt`) ?? expect.fail();
    blob.metadata["lines"] = "998501";

    expect(await start(2)).toMatchObject(problem(400, "upload-too-long"));
    blob.metadata["lines"] = "998500";
    expect((await start(2)).status).toBe(202);
  });

  test("is none of restores", async () => {
    const { id, restore } = await filled([0]);
    const asked = { upload: id, pieces: 1, reason: "ticket", select: { all: true } };

    expect(await restore({ body: asked })).toMatchObject(problem(404, "upload-not-found"));
  });
});
