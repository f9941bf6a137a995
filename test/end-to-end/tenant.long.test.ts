import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import type { FaultRule } from "../../local/graph/faults.ts";
import type { Job } from "../../local/stack/api.ts";
import { backupInstance } from "../../shared/contracts/job-ids.ts";
import { listMailboxes, readHead, readManifest } from "../../shared/vault/snapshots.ts";
import { eventually } from "../support/eventually.ts";
import { aStack, stopStacks, type TestStack } from "../support/stack.ts";

/** Mailboxes in the tenant; `MAILBOXES=200` for a long look. */
const MAILBOXES = Number(process.env["MAILBOXES"] ?? 18);
const ITEMS = 3;
const WINDOW = 6;

type Fault = Omit<Extract<z.input<typeof FaultRule>, { kind: "status" }>, "kind" | "mailbox">;

/** What is wrong with single mailboxes, and what their jobs must say of it. */
const BROKEN: readonly { readonly faults: readonly Fault[]; readonly reason: string }[] = [
  {
    faults: [{ endpoint: "*", status: 404, code: "ErrorMailboxNotFound" }],
    reason: "Graph answered 404 ErrorMailboxNotFound to GET folders",
  },
  {
    faults: [{ endpoint: "folders", status: 500, code: "InternalServerError", retryAfter: 0 }],
    reason: "Graph answered 500 InternalServerError to GET folders",
  },
  {
    faults: [
      { endpoint: "items", status: 503, emptyBody: true, retryAfter: 0 },
      { endpoint: "items-delta", status: 503, emptyBody: true, retryAfter: 0 },
    ],
    reason: "Graph answered 503 to GET items/delta",
  },
  {
    faults: [
      { endpoint: "export-items", status: 502, code: "BadGateway", retryAfter: 0 },
      { endpoint: "folders", status: 502, code: "BadGateway", retryAfter: 0, after: 2 },
    ],
    reason: "Graph answered 502 BadGateway to GET folders",
  },
];

/** A mailbox that the app may not read. */
const FORBIDDEN: Fault = { endpoint: "*", status: 403, code: "ErrorAccessDenied" };

/** Mailboxes that get no snapshot. */
const UNSOUND = BROKEN.length + 1;

const userOf = (n: number): string => `user-${String(n).padStart(3, "0")}@contoso.example`;
const brokenUser = (n: number): string => userOf(n * 3 + 2);
const FORBIDDEN_USER = userOf(4);

let stack: TestStack;

beforeAll(async () => {
  stack = await aStack({
    clock: 50,
    settings: { BACKUP_WINDOW: String(WINDOW), LANE_SECONDS: "5" },
    graph: {
      mailboxes: Array.from({ length: MAILBOXES }, (_, n) => ({
        kind: "generated",
        userPrincipalName: userOf(n),
        items: ITEMS,
        layout: "inbox-only",
        userFolders: 0,
        bytes: { fixed: 400 },
      })),
    },
  });
  const users = new Map((await stack.graph.users()).map((user) => [user.userPrincipalName, user.mailboxId]));
  const refuse = (user: string, fault: Fault) =>
    stack.graph.run("add-fault", { kind: "status", mailbox: users.get(user), ...fault });
  for (const [n, { faults }] of BROKEN.entries()) for (const fault of faults) await refuse(brokenUser(n), fault);
  await refuse(FORBIDDEN_USER, FORBIDDEN);
});
afterAll(stopStacks);

const Result = z.looseObject({ failures: z.array(z.object({ job: z.string(), reason: z.string() })) });
const Mailboxes = z.looseObject({
  mailboxes: z.array(z.looseObject({ mailbox: z.string(), newest: z.looseObject({ items: z.int() }).optional() })),
});

describe("a backup of a tenant in which some mailboxes are broken", () => {
  let job: Job;
  let second: Response;

  beforeAll(async () => {
    const id = await stack.api.start("/api/backups", {});
    second = await stack.api.request("/api/backups", { method: "POST", body: "{}" });
    job = await stack.api.finish(id);
  });

  test("ends, and counts what it backed up and what it could not", () => {
    const sound = MAILBOXES - UNSOUND;
    expect(job.result).toMatchObject({ complete: sound, partial: 0, failed: BROKEN.length, items: sound * ITEMS });
  });

  test("names the job of each that failed, with a reason; and the job says the same", async () => {
    const { failures } = Result.parse(job.result);
    expect(failures).toHaveLength(BROKEN.length);
    for (const [n, { reason }] of BROKEN.entries()) {
      const own = backupInstance(await stack.keyOf(brokenUser(n)));
      expect(failures.find((failure) => failure.job === own)?.reason).toContain(reason);
      const ended = await stack.api.job(own);
      expect(ended).toMatchObject({ state: "failed", error: expect.stringContaining(reason) });
    }
  });

  test("counts the mailbox that it may not read, and starts no backup of it; coverage counts it too", async () => {
    expect(job.result).toMatchObject({ notPermitted: 1, leftOut: [{ reason: "notPermitted" }] });
    const own = backupInstance(await stack.keyOf(FORBIDDEN_USER));
    expect((await stack.api.request(`/api/jobs/${own}`)).status).toBe(404);
    expect(await stack.api.get("/api/coverage")).toMatchObject({
      summary: { mailboxes: MAILBOXES, never: UNSOUND, leftOut: { notPermitted: 1, unanswered: 0 } },
    });
  });

  test("shows a snapshot of every mailbox that is sound, and of no other", async () => {
    const { mailboxes } = Mailboxes.parse(await stack.api.get("/api/mailboxes?pageSize=1000"));
    const stored = mailboxes.filter(({ newest }) => newest?.items === ITEMS).map(({ mailbox }) => mailbox);
    const unsound = [...BROKEN.map((_, n) => brokenUser(n)), FORBIDDEN_USER];
    const broken = await Promise.all(unsound.map((user) => stack.keyOf(user)));

    expect(stored).toHaveLength(MAILBOXES - UNSOUND);
    expect(stored.filter((key) => broken.includes(key))).toEqual([]);
  });

  test("is seen by the log's alerts: the row of a scan, and the mailbox of each head that was written", async () => {
    const headers = { "content-type": "application/json" };
    // A scan of the timer's own, in the middle of the backups, counts mailboxes that were not yet backed up.
    const before = stack.lines.length;
    await stack.api.request("/admin/functions/watch-coverage", { method: "POST", headers, body: '{"input": ""}' });
    const row = await eventually("row of a scan", () => {
      const text = stack.lines.slice(before).find((line) => line.text.includes("coverage {"))?.text;
      return text === undefined ? undefined : JSON.parse(text.slice(text.indexOf("{")));
    });
    const asked = [...(await readFile("infra/queries/coverage.kql", "utf8")).matchAll(/found\.(\w+)/g)];
    expect(asked.reduce((sum, [, field = ""]) => sum + row[field], 0)).toBe(UNSOUND);

    const silent = await readFile("infra/queries/mailbox-silent.kql", "utf8");
    const pattern = new RegExp(/extract\(@"([^"]+)"/.exec(silent)?.[1] ?? "nothing");
    const written: string[] = [];
    for await (const { name } of stack.vault.list("")) if (name.endsWith("/head.json")) written.push(name);
    const keys = written.map((name) => pattern.exec(`https://mvdata.blob.core.windows.net/vault/${name}`)?.[1]);
    expect(keys).toEqual(written.map((name) => name.split("/")[0]));
    expect(keys).toHaveLength(MAILBOXES - UNSOUND);
  });

  test("works on as many mailboxes at a time as the window has places, and never on more", async () => {
    const spans: { readonly started: string; readonly finished: string }[] = [];
    for await (const key of listMailboxes(stack.vault)) {
      const newest = (await readHead(stack.vault, key))?.newest;
      const found = newest && (await readManifest(stack.vault, key, newest.id));
      if (found) spans.push(found.manifest);
    }
    const atOnce = spans.map(
      ({ started }) => spans.filter((other) => other.started <= started && started < other.finished).length,
    );

    expect(Math.max(...atOnce)).toBeGreaterThan(1);
    expect(Math.max(...atOnce)).toBeLessThanOrEqual(WINDOW);
  });

  test("is the only one alive: another is refused, with the job that is in the way", async () => {
    expect(second.status).toBe(409);
    expect(await second.json()).toMatchObject({ job: job.id });
  });
});
