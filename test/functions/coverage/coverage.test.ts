import { readFile } from "node:fs/promises";
import { InvocationContext } from "@azure/functions";
import { describe, expect, test, vi } from "vitest";
import { closeScope, keepLeftOut, keepScopePage } from "../../../functions/backup/discover/scope-state.ts";
import { scanCoverage, sharedScan } from "../../../functions/coverage/coverage-scan.ts";
import { getCoverage } from "../../../functions/coverage/get-coverage.http.ts";
import { getCoverageMetrics } from "../../../functions/coverage/get-coverage-metrics.http.ts";
import { watchCoverage } from "../../../functions/coverage/watch-coverage.timer.ts";
import { notifier } from "../../../functions/notify/notifier.ts";
import type { Notice } from "../../../functions/notify/notify.contract.ts";
import { noteVerified } from "../../../functions/verify/verification-state.ts";
import { headName } from "../../../shared/vault/names.ts";
import { summedJson } from "../../../shared/vault/summed-json.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aTimer } from "../a-timer.ts";
import { changeHead, writeHistory } from "../browse/a-vault.ts";
import { ask } from "../fake-hub.ts";

const HOUR_MS = 3_600_000;
const [DAMAGED, DEPARTED, HELD, NEVER, STALE, WELL] = ["a", "b", "c", "d", "e", "f"].map((letter) =>
  letter.repeat(26),
) as [string, string, string, string, string, string];

const hoursAgo = (hours: number): string => new Date(Date.now() - hours * HOUR_MS).toISOString();

/** A vault with mailboxes in each state of coverage, and a scope with one that was never backed up. */
const aCoverage = async () => {
  const vault = memoryBlobs();
  const state = memoryBlobs();
  /** Sets the time of the last check, which a run never moves back. */
  const check = async (key: string, hours: number) => {
    const found = await vault.readWhole(headName(key));
    const { sum: _, ...head } = JSON.parse(String(found?.body));
    await vault.replace(headName(key), summedJson({ ...head, checkedAt: hoursAgo(hours) }), found?.etag);
  };
  for (const [key, hours] of [
    [DAMAGED, 1],
    [DEPARTED, 900],
    [HELD, 29],
    [STALE, 31],
    [WELL, 0],
  ] as const) {
    await writeHistory(vault, [[[]]], { mailboxKey: key });
    await check(key, hours);
  }
  await changeHead(vault, HELD, { hold: { since: hoursAgo(9), reason: "legal" }, user: { id: "held" } });
  await changeHead(vault, WELL, { hold: { since: hoursAgo(9), reason: "legal", until: hoursAgo(1) } });
  const damage = async (key: string) => {
    const name = headName(key);
    await vault.replace(name, Buffer.from("{"), (await vault.readWhole(name))?.etag);
  };
  await damage(DAMAGED);
  const inScope = async (run: string, keys: readonly string[]) => {
    await keepScopePage(
      state,
      run,
      0,
      keys.map((key) => ({ key, userId: `user ${key[0]}` })),
    );
    await closeScope(state, run);
  };
  await inScope("20261122T010000Z-abc234", [DAMAGED, HELD, NEVER, STALE, WELL]);
  const source = { vault, state, intervalMs: 24 * HOUR_MS };
  const scan = () => scanCoverage(source);
  return { ...source, source, scan, check, damage, inScope };
};

const STATES = { damaged: 1, never: 1, stale: 1, protected: 2, departed: 1 };

describe("GET /api/coverage", () => {
  const get = async (query: Record<string, string> = {}) => {
    const { source, scan } = await aCoverage();
    return ask(getCoverage({ ...source, scan }), { query });
  };

  test("counts the mailboxes by state, and those on hold", async () => {
    const { status, body } = await get();

    expect(status).toBe(200);
    expect(body).toMatchObject({
      summary: { mailboxes: 6, ...STATES, held: 1, partial: 4, items: 28, bytes: 280 },
      wanted: { intervalSeconds: 86_400, staleAfterSeconds: 108_000 },
    });
  });

  test("says whom the scope leaves out, by reason, as the newest discovery found", async () => {
    const { source, scan, state, inScope } = await aCoverage();
    const run = "20261123T010000Z-abc234";
    await keepLeftOut(state, run, 0, { unlicensed: 70, notPermitted: 1 });
    await keepLeftOut(state, run, 1, { unlicensed: 5, excluded: 2 });
    await keepLeftOut(state, run, 1, { unlicensed: 999 });
    const none = {
      unknown: 0,
      unanswered: 0,
      notPermitted: 0,
      withoutMailbox: 0,
      excluded: 0,
      disabled: 0,
      unlicensed: 0,
    };

    expect((await ask(getCoverage({ ...source, scan }))).body).toMatchObject({ summary: { leftOut: none } });
    await inScope(run, [WELL]);
    const { body } = await ask(getCoverage({ ...source, scan }));
    expect(body).toMatchObject({ summary: { leftOut: { ...none, unlicensed: 75, notPermitted: 1, excluded: 2 } } });

    const { text } = await ask(getCoverageMetrics({ scan }));
    expect(text).toContain('mailbox_vault_left_out{reason="unlicensed"} 75');
    expect(text).toContain('mailbox_vault_left_out{reason="unanswered"} 0');
  });

  test("shows the coverage of every mailbox, also of one that was never backed up", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const { body } = await get();

    const { mailboxes } = body as { mailboxes: Record<string, unknown>[] };
    expect(mailboxes).toMatchObject([
      { mailbox: DAMAGED, state: "damaged", damage: expect.stringContaining(headName(DAMAGED)) },
      { mailbox: DEPARTED, state: "departed" },
      { mailbox: HELD, state: "protected", user: "held", hold: { reason: "legal" } },
      { mailbox: NEVER, state: "never", user: "user d" },
      { mailbox: STALE, state: "stale", problems: { failed: 2, skipped: 3 }, newest: { state: "partial" } },
      { mailbox: WELL, state: "protected" },
    ]);
    expect(mailboxes[5]).not.toHaveProperty("hold");
    expect(mailboxes[4]?.["ageSeconds"]).toBe(31 * 3600);
  });

  test("calls a mailbox damaged when a verification found damage", async () => {
    const { source, scan, state } = await aCoverage();
    const totals = { snapshots: 1, packs: 1, items: 1, bytes: 1, problems: 2 };
    const pieces = [{ piece: "20261122T010000Z-abc234", done: true, problems: 2, findings: [] }];
    const wave = { run: "20261123T010000Z-abc234", wave: 0, at: "2026-11-23T01:00:00Z", scope: { mailbox: WELL } };
    await noteVerified(state, { mailbox: WELL, done: true, ...totals, pieces }, wave);

    const { body } = await ask(getCoverage({ ...source, scan }), { query: { pageSize: "6" } });
    expect(body).toMatchObject({ summary: { damaged: 2, protected: 1 } });
    const { mailboxes } = body as { mailboxes: unknown[] };
    expect(mailboxes[5]).toMatchObject({
      mailbox: WELL,
      state: "damaged",
      verified: { at: "2026-11-23T01:00:00Z", problems: 2 },
    });
  });

  test.each([1, 2, 3, 5, 6])("lists each mailbox once, in pages of %i", async (pageSize) => {
    const { source, scan } = await aCoverage();
    const found: string[] = [];
    let page: string | undefined;
    do {
      const query = { pageSize: String(pageSize), ...(page === undefined ? {} : { page }) };
      const body = (await ask(getCoverage({ ...source, scan }), { query })).body as {
        mailboxes: { mailbox: string }[];
        next?: string;
      };
      found.push(...body.mailboxes.map(({ mailbox }) => mailbox));
      page = body.next;
    } while (page !== undefined);

    expect(found).toEqual([DAMAGED, DEPARTED, HELD, NEVER, STALE, WELL]);
  });

  test("counts every mailbox in the vault as in scope before the first discovery", async () => {
    const { source, scan, state } = await aCoverage();
    state.blobs.clear();

    const { body } = await ask(getCoverage({ ...source, scan }));
    expect(body).toMatchObject({ summary: { mailboxes: 5, stale: 2, departed: 0, never: 0 } });
    expect(body).not.toHaveProperty("summary.leftOut");
    expect((await ask(getCoverageMetrics({ scan }))).text).not.toContain("left_out");
  });

  test.each([
    [{ page: "x" }, "page"],
    [{ pageSize: "0" }, "pageSize"],
    [{ state: "stale" }, "state"],
  ])("refuses %j and names the parameter", async (query, field) => {
    expect(await get(query)).toMatchObject({ status: 400, body: { errors: [{ field }] } });
  });
});

describe("GET /api/coverage/metrics", () => {
  const scrape = async (query: Record<string, string> = {}) =>
    ask(getCoverageMetrics({ scan: (await aCoverage()).scan }), { query });

  test("returns totals in Prometheus' text format", async () => {
    const { headers, text } = await scrape();

    expect(headers).toEqual({ "content-type": "text/plain; version=0.0.4; charset=utf-8" });
    expect(text).toContain(
      [
        "# HELP mailbox_vault_mailboxes Mailboxes by the state of their coverage.",
        "# TYPE mailbox_vault_mailboxes gauge",
        'mailbox_vault_mailboxes{state="damaged"} 1',
        'mailbox_vault_mailboxes{state="never"} 1',
        'mailbox_vault_mailboxes{state="stale"} 1',
        'mailbox_vault_mailboxes{state="protected"} 2',
        'mailbox_vault_mailboxes{state="departed"} 1',
        "# HELP mailbox_vault_mailboxes_held ",
      ].join("\n"),
    );
    expect(text).toMatch(/^mailbox_vault_oldest_check_age_seconds 1116\d\d$/m);
    expect(text.endsWith("\n")).toBe(true);
    expect(text).not.toContain(STALE);
  });

  test("has a series for each mailbox in breach, on request", async () => {
    const { text } = await scrape({ breaches: "true" });

    expect(text.split("\n").filter((line) => line.startsWith("mailbox_vault_mailbox_breach"))).toEqual([
      `mailbox_vault_mailbox_breach{mailbox="${DAMAGED}",state="damaged"} 1`,
      `mailbox_vault_mailbox_breach{mailbox="${NEVER}",state="never"} 1`,
      `mailbox_vault_mailbox_breach{mailbox="${STALE}",state="stale"} 1`,
    ]);
  });

  test("has no more than a hundred of them", async () => {
    const scan = await (await aCoverage()).scan();
    const breaches = Array.from({ length: 500 }, (_, n) => ({ mailbox: `m${n}`, state: "stale" as const }));
    const { text } = await ask(getCoverageMetrics({ scan: async () => ({ ...scan, breaches }) }), {
      query: { breaches: "true" },
    });

    expect(text.match(/^mailbox_vault_mailbox_breach\{/gm)).toHaveLength(100);
  });

  test.each([{ breaches: "perhaps" }, { mailbox: "x" }])("refuses %j", async (query) => {
    expect(await scrape(query)).toMatchObject({ status: 400 });
  });
});

describe("watch-coverage", () => {
  const aWatch = async () => {
    const coverage = await aCoverage();
    const notices: Notice[] = [];
    const post = async (notice: Notice) => {
      notices.push(notice);
      return "sent" as const;
    };
    const watch = watchCoverage({ ...coverage, notifier: notifier({ state: coverage.state, post }) });
    const lines: string[] = [];
    const context = new InvocationContext({ logHandler: (_, line) => void lines.push(String(line)) });
    return { ...coverage, notices, lines, tick: () => watch(aTimer, context) };
  };

  test("logs a line of each scan, with what the log's alert looks for and nobody's name", async () => {
    const { tick, lines } = await aWatch();
    await tick();
    await tick();

    const query = await readFile("infra/queries/coverage.kql", "utf8");
    const [, prefix = ""] = /startswith "(coverage )\{"/.exec(query) ?? [];
    const found = lines.filter((line) => line.startsWith(`${prefix}{`)).map((line) => JSON.parse(line.slice(9)));
    expect(query).toContain(`substring(Message, ${prefix.length})`);
    expect(found).toHaveLength(2);
    const fields = [...query.matchAll(/found\.(\w+)/g)].map(([, field = ""]) => field);
    expect(fields).toEqual(["stale", "damaged", "never"]);
    for (const field of fields) expect(found[0][field]).toBe(1);
    expect(lines.join()).not.toMatch(/user /);
  });

  test("notifies people of mailboxes in breach once, and then only of changes", async () => {
    const { tick, notices, check } = await aWatch();

    await tick();
    await tick();
    expect(notices).toMatchObject([{ isProblem: true }]);
    expect(notices[0]?.facts).toEqual(
      expect.arrayContaining([
        { name: "New", value: "3 mailboxes" },
        { name: "protected", value: "2 mailboxes" },
        { name: STALE, value: "stale" },
      ]),
    );

    await check(WELL, 0);
    await tick();
    expect(notices).toHaveLength(1);
  });

  test("notifies people when a mailbox is covered again, and when it falls back", async () => {
    const { tick, notices, check } = await aWatch();
    await tick();

    await check(STALE, 0);
    await tick();
    await check(STALE, 31);
    await tick();

    expect(notices.map(({ isProblem }) => isProblem)).toEqual([true, false, true]);
    expect(new Set(notices.map(({ id }) => id)).size).toBe(3);
  });

  test("sends no notice twice when it is cut off after sending one", async () => {
    const { tick, notices, state } = await aWatch();
    const { replace } = state;
    state.replace = () => Promise.reject(new Error("cut off"));
    await expect(tick()).rejects.toThrow("cut off");
    state.replace = replace;

    await tick();
    await tick();

    expect(notices).toHaveLength(1);
  });
});

describe("a shared scan", () => {
  test("serves all callers while it runs, and for twenty times as long as it took", async () => {
    let nowMs = 0;
    let scans = 0;
    const { scan } = await aCoverage();
    const one = await scan();
    const shared = sharedScan(
      async () => {
        scans += 1;
        nowMs += 100;
        return one;
      },
      () => nowMs,
    );

    await Promise.all([shared(), shared(), shared()]);
    nowMs += 1_999;
    await shared();
    expect(scans).toBe(1);

    nowMs += 1;
    await shared();
    expect(scans).toBe(2);
  });

  test("that failed is not reused", async () => {
    let scans = 0;
    const { scan } = await aCoverage();
    const shared = sharedScan(() => {
      scans += 1;
      return scans === 1 ? Promise.reject(new Error("the storage is down")) : scan();
    });

    await expect(shared()).rejects.toThrow("down");
    expect((await shared()).summary.mailboxes).toBe(6);
  });
});
