import { describe, expect, test } from "vitest";
import { exportPersonalData } from "../../../functions/personal-data/export-personal-data.orchestrator.ts";
import type { ExportPersonalDataInput, Stage } from "../../../functions/personal-data/personal-data.contract.ts";
import { WAKE } from "../../../shared/durable/waits.ts";
import { aKey } from "../../shared/vault/samples.ts";
import { OrchestratorFailedError, runOrchestrator, runToEnd } from "../../support/run-orchestrator.ts";

const now = new Date("2026-11-22T01:00:00Z");
const input: ExportPersonalDataInput = {
  exportId: "20261122T010000Z-abc234",
  userId: "0a0a0a0a-1111-4222-8333-444444444444",
  mailboxes: [],
  until: "2026-11-29T01:00:00.000Z",
};
const waiting: Stage = { stage: "waiting", attempt: 1, operationId: "an-operation", waitMs: 60_000 };
/** One that has waited, and is to poll. */
const due: Stage = { ...waiting, due: now.toISOString() };
const accepted = { outcome: "accepted", attempt: 1, operationId: "an-operation", retryAfterMs: 60_000 };

interface Stubs {
  readonly request?: (asked: { attempt: number }) => unknown;
  readonly check?: () => unknown;
  readonly copy?: (asked: { from: number }) => unknown;
  readonly list?: (asked: { page: number }) => unknown;
}

const optionsOf = (start: ExportPersonalDataInput, stubs: Stubs, eventsAfterMs: readonly number[] = []) => ({
  input: start,
  now,
  retries: false,
  events: eventsAfterMs.map((afterMs) => ({ name: WAKE, afterMs })),
  activities: {
    "request-personal-data-export": stubs.request ?? (() => accepted),
    "check-personal-data-export": stubs.check ?? (() => ({ state: "complete", progress: 100 })),
    "copy-mailbox-data": stubs.copy ?? (() => ({ blobs: 3, bytes: 30 })),
    "list-personal-data": stubs.list ?? (() => ({ files: 2, bytes: 20, inventorySha256: "a".repeat(64) })),
  },
});

/** One generation. */
const generation = (start: ExportPersonalDataInput, stubs: Stubs = {}) =>
  runOrchestrator(exportPersonalData, optionsOf(start, stubs));

/** From generation to generation until it ends. */
const run = (start: ExportPersonalDataInput, stubs: Stubs = {}, eventsAfterMs: readonly number[] = []) =>
  runToEnd(exportPersonalData, optionsOf(start, stubs, eventsAfterMs));

type Ran = Awaited<ReturnType<typeof generation>>;
const namesOf = ({ calls }: Ran): string[] => calls.map(({ name }) => name);
const stageAfter = ({ continuedAs }: Ran): Stage | undefined =>
  (continuedAs as ExportPersonalDataInput | undefined)?.resume;
const result = {
  files: 2,
  bytes: 20,
  inventorySha256: "a".repeat(64),
  copied: { blobs: 0, bytes: 0 },
  unanswered: 0,
};

describe("export-personal-data", () => {
  test("requests, waits as long as Graph says, polls, and writes the inventory", async () => {
    const done = await run(input);

    expect(namesOf(done)).toEqual(["request-personal-data-export", "check-personal-data-export", "list-personal-data"]);
    expect(done.timers).toEqual([60_000]);
    expect(done.output).toEqual(result);
    expect(done.customStatuses).toEqual([
      { phase: "asking", unanswered: 0 },
      { phase: "waiting", progress: 0, unanswered: 0 },
      { phase: "waiting", progress: 0, unanswered: 0 },
      expect.objectContaining({ phase: "listing" }),
      expect.objectContaining({ phase: "done", progress: 100, files: 2, bytes: 20 }),
    ]);
  });

  test("copies mailboxes into the package before it writes the inventory", async () => {
    const copies = [
      { blobs: 4, bytes: 40, next: 4 },
      { blobs: 1, bytes: 5 },
    ];
    const pages = [
      { files: 2, bytes: 20 },
      { files: 1, bytes: 1, inventorySha256: "b".repeat(64) },
    ];
    const done = await run(
      { ...input, mailboxes: [aKey] },
      { copy: ({ from }) => copies[from === 0 ? 0 : 1], list: ({ page }) => pages[page] },
    );

    expect(done.calls.slice(2).map(({ name, input }) => [name, input])).toMatchObject([
      ["copy-mailbox-data", { mailboxes: [aKey], from: 0 }],
      ["copy-mailbox-data", { from: 4 }],
      ["list-personal-data", { page: 0 }],
      ["list-personal-data", { page: 1 }],
    ]);
    expect(done.output).toMatchObject({ files: 3, bytes: 21, copied: { blobs: 5, bytes: 45 } });
  });

  test.each<[state: string, answer: object, waitMs: number]>([
    ["notStarted", { state: "notStarted", progress: 0 }, 300_000],
    ["running", { state: "running", progress: 40, retryAfterMs: 5_000 }, 5_000],
    ["a state of the future", { state: "unknown" }, 300_000],
    ["no answer yet", { state: "limited", retryAfterMs: 9_000 }, 9_000],
  ])("goes on waiting after %s, in a generation of its own", async (_, answer, waitMs) => {
    const first = await generation({ ...input, resume: due }, { check: () => answer });

    expect(stageAfter(first)).toMatchObject({ ...waiting, waitMs });
    expect(first.timers).toEqual([waitMs]);
    const next = await run(first.continuedAs as ExportPersonalDataInput);
    expect(namesOf(next)).toEqual(["check-personal-data-export", "list-personal-data"]);
  });

  test("keeps the last progress when Graph returns none", async () => {
    const resume: Stage = { ...due, progress: 40 };
    const { customStatuses, ...rest } = await generation({ ...input, resume }, { check: () => ({ state: "unknown" }) });

    expect(stageAfter({ customStatuses, ...rest })).toMatchObject({ progress: 40 });
    expect(customStatuses).toEqual([{ phase: "waiting", progress: 40, unanswered: 0 }]);
  });

  describe("events", () => {
    test.each<[when: string, events: readonly number[], timers: readonly number[]]>([
      ["never", [], [60_000]],
      ["early", [1], [60_000, 15_000]],
      ["twice", [1, 2], [60_000, 15_000]],
      ["often", Array.from({ length: 30 }, (_, n) => n * 100), [60_000, 15_000]],
      ["shortly before the end of the wait", [50_000], [60_000, 10_000]],
      ["too late", [70_000], [60_000]],
    ])("that come %s change only the times", async (_, events, timers) => {
      const done = await run({ ...input, resume: waiting }, {}, events);

      expect(done.timers).toEqual(timers);
      expect(done.output).toEqual(result);
      expect(namesOf(done)).toEqual(["check-personal-data-export", "list-personal-data"]);
    });
  });

  describe("when Microsoft takes no more exports", () => {
    test("shows when it tries again, and does", async () => {
      const first = await generation(input, { request: () => ({ outcome: "limited" }) });

      expect(first.customStatuses.at(-1)).toEqual({
        phase: "limited",
        nextTry: "2026-11-22T07:00:01.000Z",
        unanswered: 0,
      });
      expect(first.timers).toEqual([6 * 3_600_000 + 1_000]);
      expect(stageAfter(first)).toEqual({ stage: "asking", attempt: 1, after: "limited" });
    });

    test("tries no sooner, whatever wakes it", async () => {
      const { resume, ...first } = (await generation(input, { request: () => ({ outcome: "limited" }) }))
        .continuedAs as ExportPersonalDataInput;
      const done = await run({ ...first, resume }, {}, [1_000, 2_000]);

      expect(done.ended.getTime()).toBeGreaterThan(now.getTime() + 6 * 3_600_000);
      expect(done.calls.filter(({ name }) => name === "request-personal-data-export")).toHaveLength(1);
    });

    test("waits as long as Graph asks", async () => {
      const first = await generation(input, { request: () => ({ outcome: "limited", retryAfterMs: 7_000 }) });

      expect(first.timers).toEqual([8_000]);
    });

    test("fails when that would be too late, and says when to start another", async () => {
      const late = { ...input, until: "2026-11-22T02:00:00.000Z" };

      await expect(run(late, { request: () => ({ outcome: "limited" }) })).rejects.toThrow(
        "100 exports of a person and 1,000 of a tenant in a day, and took no more of them: " +
          "start another export after 2026-11-22T07:00:01.000Z",
      );
    });
  });

  describe("when a request is not answered", () => {
    const unanswered = { request: () => ({ outcome: "unanswered" }) };

    test("waits until it has ended, then requests an export into another container", async () => {
      const first = await generation(input, unanswered);
      expect(first.timers).toEqual([6 * 60_000]);
      expect(first.customStatuses.at(-1)).toMatchObject({ phase: "unanswered", unanswered: 1 });

      const second = await run(first.continuedAs as ExportPersonalDataInput, {
        request: ({ attempt }) => ({ ...accepted, attempt }),
      });
      expect(second.calls.map((call) => call.input)).toMatchObject([{ attempt: 2 }, {}, { attempt: 2 }]);
      expect(second.output).toEqual({ ...result, unanswered: 1 });
    });

    test("goes on with the container of a late answer", async () => {
      const resume: Stage = { stage: "asking", attempt: 2 };
      const done = await run({ ...input, resume });

      expect(done.calls.at(-1)?.input).toMatchObject({ attempt: 1 });
      expect(done.output).toEqual(result);
    });

    test("fails after three", async () => {
      const last: Stage = { stage: "asking", attempt: 3 };

      await expect(run({ ...input, resume: last }, unanswered)).rejects.toThrow("began 3 requests and answered none");
    });
  });

  test.each<[status: number, code: string, advice: RegExp]>([
    [403, "Authorization_RequestDenied", /check the right User\.Export\.All/],
    [400, "StorageLocationInvalid", /storage account/],
    [404, "Request_ResourceNotFound", /not in the directory any more/],
  ])("fails when it is refused with %i, and says what to do", async (status, code, advice) => {
    const failure = await run(input, { request: () => ({ outcome: "refused", status, code }) }).catch(
      (error: unknown) => error,
    );

    expect(failure).toBeInstanceOf(OrchestratorFailedError);
    expect(String(failure)).toContain(`${status} ${code}`);
    expect(String(failure)).toMatch(advice);
  });

  test("fails when Microsoft's export does", async () => {
    await expect(run({ ...input, resume: waiting }, { check: () => ({ state: "failed" }) })).rejects.toThrow(
      "Microsoft's export failed: start another",
    );
  });

  test("polls a last time when its time is up, then fails", async () => {
    const until = "2026-11-22T01:00:30.000Z";
    const resume = waiting;

    await expect(run({ ...input, until, resume }, { check: () => ({ state: "running" }) })).rejects.toThrow(
      "took too long",
    );
    const inTime = await run({ ...input, until, resume });
    expect(inTime.timers).toEqual([30_000]);
    expect(inTime.output).toEqual(result);
  });

  test("goes on with a long inventory in a new generation", async () => {
    const resume: Stage = { stage: "listing", attempt: 1, page: 0, files: 0, bytes: 0, copied: { blobs: 1, bytes: 2 } };
    const first = await generation({ ...input, resume }, { list: () => ({ files: 10, bytes: 100 }) });

    expect(namesOf(first)).toHaveLength(20);
    expect(stageAfter(first)).toEqual({ ...resume, page: 20, files: 200, bytes: 2_000 });
  });

  test("waits a second for a Retry-After of 0", async () => {
    const resume: Stage = { ...waiting, waitMs: 0 };

    expect((await run({ ...input, resume })).timers).toEqual([1_000]);
  });
});
