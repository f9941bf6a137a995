import { describe, expect, test } from "vitest";
import { anEmulator, idsOf, UPN } from "./kit.ts";

const MAILBOXES = [UPN, "b@contoso.example"].map((userPrincipalName) => ({
  kind: "generated" as const,
  userPrincipalName,
  items: 20,
}));

describe("limits", () => {
  test("the fifth request at a time is 429, of another mailbox or app not", async () => {
    const { base, ask, emulator, mailbox } = await anEmulator({ mailboxes: MAILBOXES, settings: { latencyMs: 150 } });
    const other = (await emulator.admin.users({}))[1]?.mailboxId;
    await emulator.admin["add-app"]({ appId: "two", token: "two", roles: ["MailboxFolder.Read.All"] });

    await emulator.admin["add-fault"]({ kind: "hold", endpoint: "folders" });

    const same = Array.from({ length: 6 }, () => ask(`${base}/folders`));
    const elsewhere = ask(`/v1.0/admin/exchange/mailboxes/${other}/folders`);
    const otherApp = ask(`${base}/folders`, { token: "two" });
    await expect.poll(async () => (await emulator.admin.counters({})).requests).toEqual({ folders: 8 });
    await emulator.admin["clear-faults"]({});
    const replies = await Promise.all(same);
    const refused = replies.filter(({ status }) => status === 429);
    const counters = await emulator.admin.counters({});

    expect(replies.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 429, 429]);
    expect(refused[0]?.body.error).toMatchObject({
      code: "ApplicationThrottled",
      message: "Application is over its MailboxConcurrency limit.",
    });
    expect(refused[0]?.headers.get("retry-after")).toBe("1");
    expect([(await elsewhere).status, (await otherApp).status]).toEqual([200, 200]);
    expect(counters.throttled.MailboxConcurrency).toBe(2);
    expect(counters.mailboxes[mailbox]?.highestConcurrency).toBeGreaterThan(4);
    expect(counters.mailboxes[mailbox]?.busyMs).toBeGreaterThan(4 * 140);
  });

  test("a slot stays taken until the answer is read to its end, and is free when the caller leaves", async () => {
    const { base, ask, emulator } = await anEmulator({
      mailboxes: [
        { kind: "generated", userPrincipalName: UPN, items: 4, layout: "inbox-only", bytes: { fixed: 60_000_000 } },
      ],
      settings: { limits: { maxConcurrent: 1 } },
    });
    const [id] = idsOf((await ask(`${base}/folders/inbox/items`)).body.value ?? []);
    const leave = new AbortController();
    const unread = await fetch(`${emulator.graphUrl}${base}/exportItems`, {
      method: "POST",
      headers: { authorization: "Bearer emulator-token" },
      body: JSON.stringify({ itemIds: [id] }),
      signal: leave.signal,
    });

    const during = await ask(`${base}/folders`);
    leave.abort();
    await expect(unread.text()).rejects.toThrow();

    expect(during.status).toBe(429);
    await expect.poll(async () => (await ask(`${base}/folders`)).status).toBe(200);
  });

  test("a request whose caller left goes on, and nobody awaits it", async () => {
    const { base, mailbox, emulator } = await anEmulator({});
    await emulator.admin["add-fault"]({ kind: "hold", endpoint: "folders" });
    const leave = new AbortController();
    const callers = [leave.signal, AbortSignal.timeout(60_000)].map((signal) =>
      fetch(`${emulator.graphUrl}${base}/folders`, { headers: { authorization: "Bearer emulator-token" }, signal }),
    );
    const counted = async () => (await emulator.admin.counters({})).mailboxes[mailbox];
    await expect.poll(counted).toMatchObject({ inFlight: 2, awaited: 2 });

    leave.abort();
    await expect(callers[0]).rejects.toThrow();
    await expect.poll(counted).toMatchObject({ inFlight: 2, awaited: 1, highestAwaited: 2 });

    await emulator.admin["clear-faults"]({});
    expect((await callers[1])?.status).toBe(200);
    await expect.poll(counted).toMatchObject({ inFlight: 0, awaited: 0 });
  });

  test("requests are counted over a sliding window, refused ones too", async () => {
    let time = 1_000_000;
    const settings = { limits: { maxRequests: 3, requestWindowMs: 60_000 } };
    const { base, ask } = await anEmulator({ settings }, { now: () => time });
    const status = async () => (await ask(`${base}/folders`)).status;
    const three = [await status(), await status(), await status()];
    time += 30_000;
    const refused = await ask(`${base}/folders`);
    time += 30_000;
    const after = [await status(), await status(), await status()];

    expect(three).toEqual([200, 200, 200]);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "30"]);
    expect(after).toEqual([200, 200, 429]);
  });

  test.each([
    ["absent", {}, null],
    ["http-date", {}, /GMT$/],
    ["seconds", { retryAfterSeconds: 900 }, /^900$/],
  ] as const)("Retry-After can be %s", async (retryAfter, more, expected) => {
    const settings = { limits: { maxRequests: 1, retryAfter, ...more } };
    const { base, ask } = await anEmulator({ settings });
    await ask(`${base}/folders`);

    const header = (await ask(`${base}/folders`)).headers.get("retry-after");

    if (expected === null) expect(header).toBeNull();
    else expect(header).toMatch(expected);
  });

  test("the bytes of import bodies are limited, and come back with time", async () => {
    let time = 1_000_000;
    const kit = await anEmulator(
      {
        mailboxes: [
          { kind: "generated", userPrincipalName: UPN, items: 2, layout: "inbox-only", bytes: { fixed: 30_000 } },
        ],
      },
      { now: () => time },
    );
    const { base, ask, emulator } = kit;
    const [id = ""] = idsOf((await ask(`${base}/folders/inbox/items`)).body.value ?? []);
    const body = { FolderId: await kit.folderId(), Mode: "create", Data: await kit.exportOne(id) };
    const url = await kit.importUrl();
    await emulator.admin["reset-limits"]({});
    await emulator.admin.settings({ limits: { maxIncomingBytes: 100_000 } });
    const post = () => ask(url, { body, token: "" });

    const two = [(await post()).status, (await post()).status];
    time += 100_000;
    const refused = await post();
    time += 200_000;

    expect(two).toEqual([200, 200]);
    expect([refused.status, refused.body.error?.message]).toEqual([
      429,
      "Application is over its IncomingBytes limit.",
    ]);
    expect(refused.headers.get("retry-after")).toBe("200");
    expect((await post()).status).toBe(200);
    expect((await emulator.admin.counters({})).throttled.IncomingBytes).toBe(1);
  });

  test("a body of unknown length counts too", async () => {
    const { base, ask, emulator } = await anEmulator({ settings: { limits: { maxIncomingBytes: 1000 } } });
    const { body } = await ask(`${base}/createImportSession`, { method: "POST" });
    const chunked = () =>
      fetch(String(body["importUrl"]), {
        method: "POST",
        duplex: "half",
        body: ReadableStream.from([Buffer.from(`{"Mode":"${"x".repeat(2000)}"}`)]),
      });

    const statuses = [(await chunked()).status, (await ask(`${base}/exportItems`, { body: {} })).status];

    expect(statuses).toEqual([400, 429]);
    expect((await emulator.admin.counters({})).throttled.IncomingBytes).toBe(1);
  });

  test("can be switched off", async () => {
    const { base, ask } = await anEmulator({ settings: { limits: { enabled: false, maxRequests: 1 } } });

    expect([(await ask(`${base}/folders`)).status, (await ask(`${base}/folders`)).status]).toEqual([200, 200]);
  });
});

describe("faults", () => {
  test("strike by endpoint, after a while, so many times", async () => {
    const { base, ask, emulator } = await anEmulator();
    await emulator.admin["add-fault"]({
      kind: "status",
      endpoint: "folder*",
      after: 1,
      count: 2,
      status: 503,
      retryAfter: 7,
      emptyBody: true,
    });

    const replies = [];
    for (let i = 0; i < 4; i++) replies.push(await ask(`${base}/folders`));

    expect(replies.map(({ status }) => status)).toEqual([200, 503, 503, 200]);
    expect([replies[1]?.headers.get("retry-after"), replies[1]?.text]).toEqual(["7", ""]);
    expect((await ask(`${base}/folders/inbox/items`)).status).toBe(200);
  });

  test.each(["before", "mid-answer", "after-commit"] as const)("cut the connection %s", async (when) => {
    const { base, ask } = await anEmulator({ faults: [{ kind: "reset", endpoint: "folders", when, count: 1 }] });

    await expect(ask(`${base}/folders`)).rejects.toThrow();
    expect((await ask(`${base}/folders`)).status).toBe(200);
  });

  test("hold answers back until they are cleared, when what was asked has long taken effect", async () => {
    const { base, ask, emulator, mailbox } = await anEmulator();
    const { id } = await emulator.admin["add-fault"]({ kind: "hold", endpoint: "create-folder", count: 1 });
    let answered = false;
    const held = ask(`${base}/folders`, { body: { displayName: "Held", type: "IPF.Note" } }).finally(() => {
      answered = true;
    });
    await expect.poll(() => emulator.admin.faults({})).toMatchObject([{ struck: 1 }]);

    const there = (await emulator.admin.folders({ mailbox })).some(({ displayName }) => displayName === "Held");
    const early = answered;
    await emulator.admin["clear-faults"]({ id });

    expect([there, early, (await held).status]).toEqual([true, false, 201]);
  });

  test("a rate strikes some requests, the same ones in each run", async () => {
    const run = async () => {
      const { base, ask } = await anEmulator({ faults: [{ kind: "status", status: 500, rate: 0.3 }] });
      const statuses = [];
      for (let i = 0; i < 40; i++) statuses.push((await ask(`${base}/folders`)).status);
      return statuses;
    };

    const [once, again] = [await run(), await run()];

    expect(again).toEqual(once);
    expect(new Set(once)).toEqual(new Set([200, 500]));
  });

  test("latency comes before the first byte, and a fault makes it longer", async () => {
    const { base, ask } = await anEmulator({
      settings: { latencyMs: 60 },
      faults: [{ kind: "slow", delayMs: 100, endpoint: "folder", count: 1 }],
    });
    const time = async (path: string) => {
      const start = performance.now();
      await ask(base + path);
      return performance.now() - start;
    };

    expect(await time("/folders")).toBeGreaterThan(55);
    expect(await time("/folders/inbox")).toBeGreaterThan(155);
  });
});

describe("batch", () => {
  const get = (id: string, url: string, more = {}) => ({ id, method: "GET", url, ...more });

  test("answers each request on its own", async () => {
    const { mailbox, ask } = await anEmulator();
    const folders = `/admin/exchange/mailboxes/${mailbox}/folders`;
    const requests = [
      get("a", folders),
      get("b", `${folders}/nowhere`),
      get("c", folders, { dependsOn: ["b"] }),
      { id: "d", method: "POST", url: folders, body: { displayName: "X", type: "IPF.Note" } },
    ];

    const { status, body } = await ask("/v1.0/$batch", { body: { requests } });
    const responses = body["responses"] as { id: string; status: number }[];

    expect(status).toBe(200);
    expect(Object.fromEntries(responses.map((one) => [one.id, one.status]))).toEqual({
      a: 200,
      b: 404,
      c: 424,
      d: 400,
    });
  });

  test("exports inside a batch, at most four at a time", async () => {
    const { mailbox, base, ask, emulator } = await anEmulator();
    const ids = idsOf((await ask(`${base}/folders/inbox/items?$top=12`)).body.value ?? []);
    await emulator.admin["reset-counters"]({});
    const requests = ids.map((id) => ({
      id,
      method: "POST",
      url: `admin/exchange/mailboxes/${mailbox}/exportItems`,
      headers: { "Content-Type": "application/json" },
      body: { itemIds: [id] },
    }));

    await emulator.admin["add-fault"]({ kind: "hold", endpoint: "export-items", count: 4 });
    const batch = ask("/v1.0/$batch", { body: { requests } });
    await expect.poll(() => emulator.admin.faults({})).toMatchObject([{ struck: 4 }]);
    await emulator.admin["clear-faults"]({});
    const { body } = await batch;
    const responses = body["responses"] as { status: number; body: { value: { data: string }[] } }[];

    expect(responses.map(({ status }) => status)).toEqual(ids.map(() => 200));
    expect(responses.every((one) => (one.body.value[0]?.data.length ?? 0) > 0)).toBe(true);
    expect((await emulator.admin.counters({})).mailboxes[mailbox]?.highestConcurrency).toBe(4);
  });

  test.each([
    ["more than twenty", Array.from({ length: 21 }, (_, i) => get(String(i), "/users"))],
    ["doubled ids", [get("a", "/users"), get("A", "/users")]],
    ["none", []],
  ])("refuses %s", async (_, requests) => {
    const { ask } = await anEmulator();

    expect((await ask("/v1.0/$batch", { body: { requests } })).status).toBe(400);
  });
});
