import { describe, expect, test, vi } from "vitest";
import { GraphError } from "../../../shared/graph/graph-error.ts";
import { type ItemImport, importer } from "../../../shared/graph/import-item.ts";
import { semaphore } from "../../../shared/graph/semaphore.ts";
import { eventually } from "../../support/eventually.ts";
import { type Answer, aServer } from "./a-graph.ts";

const SECRET = "authtoken=s3cret";
const IMPORTED = { body: { itemId: "new-1", changeKey: "ck" } };
const AT_ONCE = { "retry-after": "0" };

async function* inPieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1_000) yield bytes.subarray(at, at + 1_000);
}

const anItem = (overrides: Partial<ItemImport> = {}, bytes = Buffer.alloc(10_000, "é")): ItemImport => ({
  folderId: 'inbox"1',
  rawBytes: bytes.length,
  content: () => inPieces(bytes),
  ...overrides,
});

/** An import service with its script, and an importer that may use it. */
const anImporter = async (...answers: readonly Answer[]) => {
  const server = await aServer(...answers);
  const seen = { throttled: 0 };
  const open = importer({ importHosts: [server.host], userAgent: "vault/1" });
  const imports = open(`${server.origin}/api/gv1.0/Mailboxes('MBX:1')/importItem?${SECRET}`, {
    untilMs: Date.now() + 600_000,
    throttled: () => {
      seen.throttled += 1;
    },
  });
  return { ...server, imports, seen };
};

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("an import that replaces", () => {
  const long = Buffer.concat([Buffer.from("0900000016000000", "hex"), Buffer.alloc(22, 7)]).toString("base64");
  const short = Buffer.alloc(22, 7).toString("base64");

  test.each([
    ["as listings show it", long],
    ["as imports answer it", short],
  ])("updates the live item, named by the 22 bytes of its version (%s)", async (_, changeKey) => {
    const { imports, asked } = await anImporter(IMPORTED);

    await imports.send(anItem({ replaces: { id: "live-1", changeKey } }));

    expect(JSON.parse(asked[0]?.body ?? "")).toMatchObject({
      FolderId: 'inbox"1',
      Mode: "update",
      ItemId: "live-1",
      ChangeKey: short,
    });
    expect(asked[0]?.headers["content-length"]).toBe(String(asked[0]?.body.length));
  });

  const REFUSED = { status: 409, body: { error: { code: "ErrorIrresolvableConflict", message: "No." } } };
  const keysOf = (asked: readonly { body: string }[]) => asked.map(({ body }) => JSON.parse(body).ChangeKey);

  test.each([400, 409, 412])(
    "tries the other form of the change key after %i, and that one first from then on",
    async (status) => {
      const { imports, asked } = await anImporter({ ...REFUSED, status }, IMPORTED, IMPORTED);
      const again: number[] = [];
      const replacing = () => anItem({ replaces: { id: "live-1", changeKey: long }, sentAgain: () => again.push(1) });

      expect(await imports.send(replacing())).toMatchObject({ itemId: "new-1" });
      expect(await imports.send(replacing())).toMatchObject({ itemId: "new-1" });
      expect(keysOf(asked)).toEqual([short, long, long]);
      expect(asked.map(({ headers, body }) => headers["content-length"] === String(body.length))).not.toContain(false);
      expect(again).toHaveLength(1);
    },
  );

  test.each([
    ["neither is taken", long, [REFUSED, REFUSED], 2],
    ["there is but one form", short, [REFUSED], 1],
    ["it was refused for something else", long, [{ ...REFUSED, status: 413 }], 1],
    ["there is no answer", long, ["reset" as never], 1],
  ])("fails with the first refusal where %s", async (_, changeKey, answers, tries) => {
    const { imports, asked } = await anImporter(...(answers as Answer[]));

    const failure = await failureOf(imports.send(anItem({ replaces: { id: "live-1", changeKey } })));
    expect(failure).toBeInstanceOf(GraphError);
    expect(asked.length).toBe(tries);
  });
});

describe("a body that is sent again", () => {
  test("is told each time, since each counts against Exchange's limits", async () => {
    const { imports } = await anImporter(
      { status: 429, headers: AT_ONCE },
      { status: 429, headers: AT_ONCE },
      IMPORTED,
    );
    const again: number[] = [];
    await imports.send(anItem({ sentAgain: () => again.push(1) }));

    expect(again).toHaveLength(2);
  });
});

describe("beforeSending of an import", () => {
  test("is called before each piece of each try's body, and before its end", async () => {
    const { imports } = await anImporter({ status: 429, headers: AT_ONCE }, IMPORTED);
    let times = 0;
    const beforeSending = () => {
      times += 1;
    };
    const content = async function* () {
      for (let n = 0; n < 3; n += 1) yield Buffer.alloc(300);
    };

    expect(await imports.send(anItem({ beforeSending, rawBytes: 900, content }))).toEqual({
      itemId: "new-1",
      changeKey: "ck",
    });
    expect(times).toBe(2 * (1 + 3 + 1));
  });

  test.each([0, 1, 2])("that throws after %i pieces leaves the body incomplete", async (pieces) => {
    const { imports, asked } = await anImporter(IMPORTED);
    const lost = new Error("lost meanwhile");
    let sent = 0;
    const content = async function* () {
      for (let n = 0; n < 2; n += 1) {
        sent += 1;
        yield Buffer.alloc(300_000);
      }
    };
    const beforeSending = async () => {
      if (sent > pieces || (pieces === 2 && sent === 2)) throw lost;
    };

    expect(await failureOf(imports.send(anItem({ beforeSending, rawBytes: 600_000, content })))).toBe(lost);
    expect(asked.map(({ body }) => body.endsWith('"}'))).not.toContain(true);
  });

  test("is called after the wait for a slot, and ends the import before anything is sent", async () => {
    const { origin, host, asked } = await aServer(IMPORTED);
    const slots = semaphore(1);
    const release = await slots.acquire();
    const open = importer({ importHosts: [host], userAgent: "vault/1" });
    const lost = new Error("lost meanwhile");
    let isLost = false;
    const beforeSending = () => {
      if (isLost) throw lost;
    };
    const budget = { untilMs: Date.now() + 600_000, slots };
    const sending = failureOf(open(`${origin}/importItem?${SECRET}`, budget).send(anItem({ beforeSending })));

    isLost = true;
    release();

    expect(await sending).toBe(lost);
    expect(asked).toEqual([]);
  });
});

describe("an import", () => {
  test.each([0, 1, 2, 3, 4, 10_000])("posts %i bytes of content, announced to the byte", async (bytes) => {
    const { imports, asked } = await anImporter(IMPORTED);
    const content = Buffer.from(Array.from({ length: bytes }, (_, index) => index % 251));

    expect(await imports.send(anItem({}, content))).toEqual({ itemId: "new-1", changeKey: "ck" });

    const [post] = asked;
    expect(post).toMatchObject({
      method: "POST",
      url: `/api/gv1.0/Mailboxes('MBX:1')/importItem?${SECRET}`,
      headers: { "content-type": "application/json", "content-length": String(post?.body.length) },
    });
    expect(post?.headers).not.toHaveProperty("authorization");
    expect(post?.headers).not.toHaveProperty("transfer-encoding");
    expect(JSON.parse(post?.body ?? "")).toEqual({
      FolderId: 'inbox"1',
      Mode: "create",
      Data: content.toString("base64"),
    });
  });

  test("sends a refused request again, and reads the content anew", async () => {
    let reads = 0;
    const bytes = Buffer.from("some content");
    const { imports, asked, seen } = await anImporter(
      { status: 429, headers: AT_ONCE },
      { status: 429, headers: AT_ONCE },
      IMPORTED,
    );
    const content = () => {
      reads += 1;
      return inPieces(bytes);
    };

    expect(await imports.send(anItem({ content }, bytes))).toEqual({ itemId: "new-1", changeKey: "ck" });

    expect({ reads, throttled: seen.throttled }).toEqual({ reads: 3, throttled: 2 });
    expect(new Set(asked.map(({ body }) => body)).size).toBe(1);
  });

  test.each([400, 401, 403, 409, 500, 502, 503, 504])("does not send again after %i", async (status) => {
    const body = { error: { code: "ErrorSome", message: SECRET } };
    const { imports, asked, seen } = await anImporter({ status, headers: AT_ONCE, body });

    const error = await failureOf(imports.send(anItem()));

    expect(error).toBeInstanceOf(GraphError);
    expect(error).toMatchObject({ status, code: "ErrorSome" });
    expect(String(error)).not.toContain("s3cret");
    expect(asked).toHaveLength(1);
    expect(seen.throttled).toBe(0);
  });

  test("throws no answer for a broken connection, and does not send again", async () => {
    const { imports, asked } = await anImporter({ reset: "before" });

    const error = await failureOf(imports.send(anItem()));

    expect(error).toBeInstanceOf(GraphError);
    expect(error).toMatchObject({ status: 0 });
    expect(String(error)).not.toContain("s3cret");
    expect(asked).toHaveLength(1);
  });

  test.each([
    ["before it begins", { hangs: true }],
    ["in its middle", { stalls: true }],
  ])("does not wait for ever for an answer that stops %s, and throws no answer", async (_, silence) => {
    const { host, origin, asked } = await aServer({ ...IMPORTED, ...silence });
    const open = importer({ importHosts: [host], userAgent: "vault/1", wholeAnswerMs: 200 });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });

    const failure = failureOf(open(`${origin}/importItem?${SECRET}`, { untilMs: 0 }).send(anItem()));
    await eventually("request", () => asked[0]);
    vi.advanceTimersByTime(200);
    const error = await failure;

    expect(error).toBeInstanceOf(GraphError);
    expect(error).toMatchObject({ status: 0 });
    expect(String(error)).not.toContain("s3cret");
    expect(asked).toHaveLength(1);
  });

  test("leaves the body incomplete when the content is damaged, and throws its error", async () => {
    const { imports, asked } = await anImporter(IMPORTED);
    const damage = new Error("the pack is damaged");
    const content = async function* () {
      yield Buffer.alloc(3_000);
      throw damage;
    };

    expect(await failureOf(imports.send(anItem({ rawBytes: 9_000, content })))).toBe(damage);

    for (const { body, headers } of asked) expect(body.length).toBeLessThan(Number(headers["content-length"]));
  });

  test.each([
    ["", ""],
    ["no JSON with s3cret", ""],
    ['{"itemId":""}', ""],
    ['{"error":{"code":"ErrorItemSave"}}', "ErrorItemSave"],
  ])("throws an answer like any other for a success with the body %j, which names no item", async (body, code) => {
    const { imports } = await anImporter({ status: 200, body });

    const error = await failureOf(imports.send(anItem()));

    expect(error).toBeInstanceOf(GraphError);
    expect(error).toMatchObject({ status: 200, code });
    expect(String(error)).not.toContain("s3cret");
  });
});

test.each([
  ["another host", "https://evil.example/importItem"],
  ["another port", "https://outlook.office365.com:8443/importItem"],
  ["no TLS", "http://outlook.office365.com/importItem"],
])("a session at %s is refused before anything is sent", (_, url) => {
  const open = importer({ importHosts: ["outlook.office365.com"], userAgent: "vault/1" });
  let error: unknown;
  try {
    open(`${url}?${SECRET}`, { untilMs: 0 });
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(Error);
  expect(String(error)).not.toContain("s3cret");
});
