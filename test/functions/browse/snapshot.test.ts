import { describe, expect, test } from "vitest";
import { getSnapshot } from "../../../functions/browse/get-snapshot.http.ts";
import { getFolders } from "../../../functions/browse/list-folders.http.ts";
import { getProblems } from "../../../functions/browse/list-problems.http.ts";
import { readHead } from "../../../shared/vault/snapshots.ts";
import { aKey, aPut, snapshotAt } from "../../shared/vault/samples.ts";
import { aFolder, aProblem, aReading, call } from "./a-vault.ts";

const at = (n: number) => ({ mailbox: aKey, id: snapshotAt(n) });

describe("GET snapshot", () => {
  test("has the facts of the manifest, and no delta link", async () => {
    const reading = await aReading([[[]], [[aPut()], []]], {
      folders: [aFolder({ deltaLink: "https://graph/secret" })],
    });
    const newest = (await readHead(reading.vault, aKey))?.newest;

    const { status, body, text } = await call(getSnapshot(reading), at(1));
    expect(status).toBe(200);
    expect(text).not.toContain("secret");
    expect(body).toMatchObject({
      id: snapshotAt(1),
      mailbox: aKey,
      kind: "primary",
      trigger: "schedule",
      state: "partial",
      base: false,
      parent: { id: snapshotAt(0) },
      counts: { skipped: 3, failed: 2 },
      folders: 1,
      parts: 2,
      sha256: newest?.manifestSha256,
    });
  });

  test("refuses any parameter", async () => {
    const { status, body } = await call(getSnapshot(await aReading([[[]]])), at(0), { page: "x" });
    expect([status, body.errors]).toEqual([400, [{ field: "page", message: "There is no such parameter" }]]);
  });
});

describe("GET folders", () => {
  const folders = [
    aFolder({ id: "in", itemCount: 3 }),
    aFolder({ id: "pr", parentId: "in", displayName: "Projects", path: "Inbox/Projects", wellKnownName: undefined }),
    aFolder({ id: "or", parentId: "not-backed-up", displayName: "Orphan", path: "/Orphan" }),
  ];

  test("is a tree with the items of each folder in the snapshot", async () => {
    const history = [
      [[1, 2].map((n) => aPut({ id: `${n}`, folderId: "in", rawBytes: 10 }))],
      [[aPut({ id: "2", folderId: "in", rawBytes: 5 }), aPut({ id: "3", folderId: "pr", rawBytes: 7 })]],
    ];
    const reading = await aReading(history, { folders });

    const { text } = await call(getFolders(reading), at(1));
    const leaf = { type: "IPF.Note", announced: 0, folders: [] };
    expect(JSON.parse(text)).toEqual({
      ...{ mailbox: aKey, snapshot: snapshotAt(1), items: 3, bytes: 22 },
      folders: [
        { ...leaf, id: "or", displayName: "Orphan", path: "/Orphan", wellKnownName: "inbox", items: 0, bytes: 0 },
        {
          ...{ id: "in", displayName: "Inbox", path: "Inbox", type: "IPF.Note", wellKnownName: "inbox" },
          ...{ items: 2, bytes: 15, announced: 3 },
          folders: [{ ...leaf, id: "pr", displayName: "Projects", path: "Inbox/Projects", items: 1, bytes: 7 }],
        },
      ],
    });
    expect(JSON.parse((await call(getFolders(reading), at(0))).text)).toMatchObject({ items: 2, bytes: 20 });
  });

  test("is read from the catalogue once, and from scratch data after that", async () => {
    const reading = await aReading([[[aPut()]]]);
    const first = await call(getFolders(reading), at(0));
    for (const name of reading.vault.blobs.keys()) if (name.endsWith(".jsonl.gz")) await reading.vault.remove(name);

    expect((await call(getFolders(reading), at(0))).text).toBe(first.text);
  });
});

describe("GET problems", () => {
  const fail = aProblem("fail", { id: "1", folderId: "in" });
  const skip = aProblem("skip", { id: "2", folderId: "gone" }, "ErrorItemCorrupt");
  const history = [
    [[aProblem("fail", { id: "of-the-parent" })]],
    [[aPut(), fail, aPut({ id: "9" })], [aPut({ id: "8" })], [{ ...skip, requestId: "r-1" } as typeof skip]],
  ];
  const folders = [aFolder({ id: "in" })];

  test("lists every item that the snapshot left out, with the reason", async () => {
    const { body } = await call(getProblems(await aReading(history, { folders })), at(1));
    expect(body.problems).toEqual([
      { op: "skip", id: "2", folderId: "gone", reason: "corrupt", code: "ErrorItemCorrupt", requestId: "r-1" },
      { op: "fail", id: "1", folderId: "in", folder: "Inbox", reason: "unknown-error", code: "ErrorUnknown" },
    ]);
    expect(body.next).toBeUndefined();
  });

  test("lists what else was odd in the run", async () => {
    const problem = { op: "problem", what: "the size is odd", since: "2026-11-22T01:00:00Z" } as const;
    const odd = [
      { v: 1, ...problem, itemId: "1", folderId: "in" } as const,
      { v: 1, op: "problem", what: "x" } as const,
    ];

    const { body } = await call(getProblems(await aReading([[odd]], { folders })), at(0));
    expect(body.problems).toEqual([
      { op: "problem", what: "x" },
      { ...problem, id: "1", folderId: "in", folder: "Inbox" },
    ]);
  });

  test("comes in pages, and refuses a token of another list", async () => {
    const handler = getProblems(await aReading(history, { folders }));

    const first = await call(handler, at(1), { pageSize: 1 });
    const second = await call(handler, at(1), { pageSize: 1, page: first.body.next ?? "" });
    expect([first, second].map(({ body }) => body.problems.map(({ op }) => op))).toEqual([["skip"], ["fail"]]);
    expect(second.body.next).toBeUndefined();
    expect(await call(handler, at(0), { page: first.body.next ?? "" })).toMatchObject({ status: 400 });
  });
});
