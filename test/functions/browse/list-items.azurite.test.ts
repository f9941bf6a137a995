import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { getItems } from "../../../functions/browse/list-items.http.ts";
import { ExchangeIdFormat } from "../../../shared/contracts/id-formats.ts";
import { azureBlobs } from "../../../shared/storage/azure-blobs.ts";
import { compactSnapshot } from "../../../shared/vault/compact.ts";
import { foldSnapshot } from "../../../shared/vault/fold.ts";
import type { CatalogueRecord } from "../../../shared/vault/records.ts";
import { readHead } from "../../../shared/vault/snapshots.ts";
import { aKey, all, aPut, snapshotAt } from "../../shared/vault/samples.ts";
import { useAzurite } from "../../support/azurite.ts";
import { runBackup } from "../../support/backup-run.ts";
import { aMailboxWithIds } from "../id-translation/a-translation.ts";
import { aFolder, aProblem, aReading, call, type History, writeHistory } from "./a-vault.ts";

type Query = Parameters<typeof call>[2];

const newest = (history: History) => ({ mailbox: aKey, id: snapshotAt(history.length - 1) });

/** Every page of a list, one after the other. */
async function* pages(handler: ReturnType<typeof getItems>, params: Record<string, string>, query: Query = {}) {
  for (let page: string | undefined = "first"; page !== undefined; ) {
    const { status, body } = await call(handler, params, { ...query, ...(page === "first" ? {} : { page }) });
    expect(status).toBe(200);
    yield body.items.map(({ id }) => id);
    page = body.next;
  }
}

const ids = async (history: History, query: Query = {}, options: Parameters<typeof aReading>[1] = {}) =>
  (await all(pages(getItems(await aReading(history, options)), newest(history), query))).flat();

const v = fc.constant(1 as const);
const id = fc.constantFrom("a", "b", "c", "d", "e", "A");
const folderId = fc.constantFrom("inbox", "sent");
const aRecord: fc.Arbitrary<CatalogueRecord> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ id, folderId, subject: fc.constantFrom("Lunch", "Figures") }).map(aPut) },
  {
    weight: 2,
    arbitrary: fc.record({ v, op: fc.constant("remove" as const), id, folderId, reason: fc.constant("deleted") }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ v, op: fc.constant("folder" as const), id: folderId, removed: fc.constant(true as const) }),
  },
  { weight: 1, arbitrary: fc.record({ id, folderId }).map((item) => aProblem("fail", item)) },
);
const aHistory: fc.Arbitrary<History> = fc.array(fc.array(fc.array(aRecord, { maxLength: 12 }), { maxLength: 3 }), {
  minLength: 1,
  maxLength: 4,
});

describe("the pages of a snapshot's items", () => {
  test("have the live items, each once and in the order of the fold, for any page size", async () => {
    const query = fc.record({ pageSize: fc.integer({ min: 1, max: 20 }), q: fc.constantFrom("lunch", undefined) });
    await fc.assert(
      fc.asyncProperty(aHistory, query, async (history, { pageSize, q }) => {
        const { vault, ...reading } = await aReading(history);
        const handler = getItems({ vault, ...reading });
        for (const n of history.keys()) {
          const found = await all(pages(handler, { mailbox: aKey, id: snapshotAt(n) }, { pageSize, ...(q && { q }) }));
          const folded = await all(foldSnapshot(vault, aKey, snapshotAt(n)));
          expect(found.flat()).toEqual(folded.filter((item) => !q || item.subject === "Lunch").map((item) => item.id));
          expect(found.slice(0, -1).every((page) => page.length === pageSize)).toBe(true);
        }
      }),
      { numRuns: 40 },
    );
  });

  test("are short, and together still complete, when there is no time to read further", async () => {
    const history = [[[1, 2, 3, 4].map((n) => aPut({ id: `${n}`, subject: n > 2 ? "Lunch" : "Figures" }))]];
    const handler = getItems({ ...(await aReading(history)), budgetMs: 0 });

    expect(await all(pages(handler, newest(history), { q: "figures" }))).toEqual([[], [], ["2"], ["1"]]);
  });

  test("stay the same when their scratch data has expired in between", async () => {
    const history = [[["1", "2", "3"].map((id) => aPut({ id }))], [[aPut({ id: "4" })]]];
    const reading = await aReading(history);
    const handler = getItems(reading);

    const first = await call(handler, newest(history), { pageSize: 2 });
    reading.work.blobs.clear();
    const second = await call(handler, newest(history), { pageSize: 2, page: first.body.next ?? "" });
    expect([first, second].flatMap(({ body }) => body.items.map(({ id }) => id))).toEqual(["4", "3", "2", "1"]);
  });

  test("read one part of the catalogue, and none of those before it", async () => {
    const history = [[[aPut({ id: "1" })], [aPut({ id: "2" })], [aPut({ id: "3" })]]];
    const reading = await aReading(history);
    const first = await call(getItems(reading), newest(history), { pageSize: 2 });
    const read: string[] = [];
    const readWhole = (name: string) => {
      read.push(name.split("/").at(-1) ?? "");
      return reading.vault.readWhole(name);
    };

    const handler = getItems({ ...reading, vault: { ...reading.vault, readWhole } });
    await call(handler, newest(history), { pageSize: 2, page: first.body.next ?? "" });
    expect(read).toEqual(["head.json", `${snapshotAt(0)}.manifest.json`, "p0.jsonl.gz"]);
  });

  test("can be read from Blob Storage", async () => {
    const { freshContainer } = useAzurite();
    const vault = azureBlobs(await freshContainer());
    const work = azureBlobs(await freshContainer());
    await writeHistory(vault, [[["1", "2", "3"].map((id) => aPut({ id }))]]);

    const handler = getItems({ ...(await aReading([[]])), vault, work });
    const found = await all(pages(handler, newest([[]]), { pageSize: 2 }));
    expect(found).toEqual([["3", "2"], ["1"]]);
  });
});

describe("an item in a list", () => {
  test("has the fields by which people know it, and none about its storage", async () => {
    const reading = await aReading([[[aPut({ subject: "Lunch", from: "ada@contoso.example", rawBytes: 42 })]]]);

    const { body } = await call(getItems(reading), newest([[]]));
    expect(body.items).toEqual([
      {
        id: "AAMkAD/item+1=",
        folderId: "AAMkAD/inbox=",
        folder: "Inbox",
        type: "IPM.Note",
        subject: "Lunch",
        from: "ada@contoso.example",
        created: "2026-11-20T08:00:00Z",
        modified: "2026-11-21T09:30:00.1234567Z",
        bytes: 42,
        categories: [],
      },
    ]);
  });
});

describe("a filter of items", () => {
  const folders = [aFolder({ id: "in" }), aFolder({ id: "pr", path: "Inbox/Projects", wellKnownName: undefined })];
  const history = [
    [
      [
        aPut({ id: "1", folderId: "in", subject: "Quarterly FIGURES", from: "Ada Berg <ada@contoso.example>" }),
        aPut({ id: "2", folderId: "pr", subject: "Lunch", from: "Bo", received: "2026-11-10T23:00:00Z" }),
        aPut({ id: "3", folderId: "pr", type: "IPM.Appointment", created: "2026-11-12T00:00:00Z" }),
      ],
    ],
  ];

  test.each([
    [{ folder: "in" }, ["1"]],
    [{ folder: "inbox/projects" }, ["3", "2"]],
    [{ folder: "Inbox" }, ["1"]],
    [{ q: "figures" }, ["1"]],
    [{ q: "ADA@" }, ["1"]],
    [{ type: "ipm.note" }, ["2", "1"]],
    [{ type: "IPM.App", folder: "pr" }, ["3"]],
    [{ to: "2026-11-12" }, ["2"]],
    [{ from: "2026-11-11T00:00:00+01:00", to: "2026-11-12T00:00:00.001Z" }, ["3", "2"]],
    [{ from: "2026-11-12", to: "2026-11-13" }, ["3"]],
    [{ q: "nothing of this kind" }, []],
  ])("%j finds %j", async (query, expected) => {
    expect(await ids(history, query, { folders })).toEqual(expected);
  });
});

/** A mailbox with its ids in every format, and the ids of the items that a query finds in its one snapshot. */
const aBackedUpMailbox = async () => {
  const kit = await aMailboxWithIds();
  const { emulator, mailbox, vault, work } = kit;
  await runBackup({ graphUrl: emulator.graphUrl, token: "emulator-token", vault, work }, mailbox);
  const id = (await readHead(vault, mailbox.key))?.newest?.id ?? "";
  const get = async (query: Query) => {
    const { status, body } = await call(getItems(kit), { mailbox: mailbox.key, id }, query);
    return [status, body.items.map((item) => item.id)];
  };
  return { ...kit, get };
};

describe("a query by id", () => {
  test.each(ExchangeIdFormat.options)("finds an item by the named format %s", async (format) => {
    const { get, restIds, idsAs } = await aBackedUpMailbox();
    const [id = ""] = await idsAs(format, restIds.slice(2, 3));

    expect(await get({ id, format })).toEqual([200, [restIds[2]]]);
  });

  test("finds an item by the shape of its REST, EWS or entry id, if it passes the rest of the filter", async () => {
    const { get, restIds, idsAs } = await aBackedUpMailbox();
    const wanted = restIds.slice(2, 3);
    const [ewsId = ""] = await idsAs("ewsId", wanted);
    const [entryId = ""] = await idsAs("entryId", wanted);

    for (const id of [...wanted, ewsId, entryId]) expect(await get({ id })).toEqual([200, wanted]);
    expect(await get({ id: ewsId, type: "IPM.Appointment" })).toEqual([200, []]);
  });

  test("finds an item that was deleted, but not by an id that only Graph could translate", async () => {
    const { get, restIds, idsAs, admin, mailbox } = await aBackedUpMailbox();
    const wanted = restIds.slice(2, 3);
    const [ewsId = ""] = await idsAs("ewsId", wanted);
    const [entryId = ""] = await idsAs("entryId", wanted);
    await admin["remove-item"]({ mailbox: mailbox.id, item: wanted[0] ?? "" });

    expect(await get({ id: ewsId })).toEqual([200, wanted]);
    expect(await get({ id: entryId })).toEqual([200, []]);
  });

  test.each([{ format: "ewsId" }, { id: "AAAA", format: "hexId" }, { id: "AAAA-w2", format: "ewsId" }])(
    "is refused for %j",
    async (query) => {
      const { get } = await aBackedUpMailbox();
      expect(await get(query)).toEqual([400, []]);
    },
  );
});

describe("GET items", () => {
  const handler = async () => getItems(await aReading([[[aPut()]]]));

  test.each([
    [{ pageSize: 0 }, "pageSize"],
    [{ pageSize: 1_001 }, "pageSize"],
    [{ pageSize: "many" }, "pageSize"],
    [{ from: "yesterday" }, "from"],
    [{ to: "2026-13-01" }, "to"],
    [{ from: "2026-11-02", to: "2026-11-02" }, "to"],
    [{ q: " " }, "q"],
    [{ folder: "" }, "folder"],
    [{ page: "not-a-token" }, "page"],
    [{ subject: "x" }, "subject"],
  ])("refuses %j and names the parameter", async (query, field) => {
    const { status, headers, body } = await call(await handler(), newest([[]]), query);
    expect(status).toBe(400);
    expect(headers["content-type"]).toBe("application/problem+json");
    expect(body.errors.map((error) => error.field)).toEqual([field]);
    expect(body["detail"]).toContain(`${field}: `);
  });

  test("lists the same items from a new base, and refuses an older token", async () => {
    const reading = await aReading([
      [[aPut({ id: "1" }), aPut({ id: "2" })]],
      [[aPut({ id: "3" })]],
      [[aPut({ id: "1", subject: "new" })]],
    ]);
    const items = getItems(reading);
    const at = { mailbox: aKey, id: snapshotAt(2) };
    const before = await call(items, at);
    const { body: page } = await call(items, at, { pageSize: 1 });
    await compactSnapshot(reading.vault, aKey, snapshotAt(2));
    for (const name of [...reading.vault.blobs.keys()])
      if (name.includes(snapshotAt(0))) await reading.vault.remove(name);

    expect((await call(items, at)).text).toBe(before.text);
    expect(await call(items, at, { pageSize: 1, page: page.next ?? "" })).toMatchObject({ status: 400 });
  });

  test("refuses a token of another list", async () => {
    const items = getItems(await aReading([[[aPut({ id: "1" }), aPut({ id: "2" })]]]));
    const { body } = await call(items, newest([[]]), { pageSize: 1 });

    const elsewhere = await call(items, newest([[]]), { q: "lunch", page: body.next ?? "" });
    expect([elsewhere.status, elsewhere.body.errors[0]?.field]).toEqual([400, "page"]);
  });

  test.each([
    [{ mailbox: "a".repeat(26), id: snapshotAt(0) }, {}, "/problems/mailbox-not-found"],
    [{ mailbox: aKey, id: snapshotAt(7) }, {}, "/problems/snapshot-not-found"],
    [{ mailbox: aKey, id: "newest" }, {}, "/problems/snapshot-not-found"],
    [{ mailbox: aKey, id: snapshotAt(0) }, { folder: "/Nowhere" }, "/problems/folder-not-found"],
  ])("answers 404 for %j %j", async (params, query, type) => {
    expect(await call(await handler(), params, query)).toMatchObject({ status: 404, body: { type } });
  });

  test("names the blob when the vault is damaged", async () => {
    const reading = await aReading([[[aPut()]]]);
    const part = [...reading.vault.blobs.keys()].find((name) => name.endsWith(".jsonl.gz")) ?? "";
    await reading.vault.remove(part);

    const { status, body } = await call(getItems(reading), newest([[]]));
    expect([status, body["type"], body["blob"]]).toEqual([500, "/problems/vault-damaged", part]);
  });
});
