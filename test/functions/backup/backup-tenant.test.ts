import { describe, expect, test } from "vitest";
import type * as z from "zod";
import type {
  BackupMailboxInput,
  BackupOutcomes,
  BackupTenantInput,
  discoverMailboxes,
} from "../../../functions/backup/backup.contract.ts";
import type { BackupInTurnInput } from "../../../functions/backup/backup-in-turn.contract.ts";
import { backupInTurn } from "../../../functions/backup/backup-in-turn.orchestrator.ts";
import { backupMailbox } from "../../../functions/backup/backup-mailbox.orchestrator.ts";
import { backupTenant } from "../../../functions/backup/backup-tenant.orchestrator.ts";
import { goOnAloneActivity } from "../../../functions/backup/go-on-alone.activity.ts";
import { goOnAlone } from "../../../functions/backup/go-on-alone.contract.ts";
import { nightlyBackup } from "../../../functions/backup/nightly-backup.timer.ts";
import { noProgress } from "../../../functions/backup/wave.steps.ts";
import type { Notice } from "../../../functions/notify/notify.contract.ts";
import type { MailboxRef } from "../../../shared/contracts/mailbox.ts";
import { mailboxKey } from "../../../shared/vault/mailbox-key.ts";
import { OrchestratorFailedError, runOrchestrator, runToEnd } from "../../support/run-orchestrator.ts";
import { aFakeHub, aQuietContext } from "../fake-hub.ts";
import { aRun, deliver } from "../kit.ts";

const NONE: BackupOutcomes = { complete: 0, partial: 0, failed: 0, goesOn: 0, failures: [], items: 0, bytes: 0 };

const aMailbox = (n: number): MailboxRef => ({
  key: mailboxKey(`mailbox ${n}`),
  id: `mailbox ${n}`,
  kind: "primary",
  userId: `user ${n}`,
});

const done = (state: "complete" | "partial", items: number) => ({
  snapshotId: aRun,
  state,
  quiet: false,
  items,
  bytes: items * 10,
  totals: { ...noProgress.totals, exported: items, bytes: items * 10 },
});

/** Places that are filled for the first time. */
const places = {
  "find-backup-places": ({ places }: { places: number }) => ({
    turns: Array.from({ length: places }, () => ({ turn: 0, outcomes: NONE })),
  }),
};

describe("backup-tenant", () => {
  const tenant = (
    pages: readonly Partial<z.input<typeof discoverMailboxes.output>>[],
    overrides: Partial<BackupTenantInput> = {},
    place: (input: BackupInTurnInput) => unknown = () => ({ ...NONE, complete: 1, items: 10, bytes: 100 }),
    onNotice: (notice: Notice) => unknown = () => ({ outcome: "sent" }),
  ) =>
    runToEnd(backupTenant, {
      input: { trigger: "schedule", full: false, window: 3, ...overrides },
      retries: false,
      activities: {
        "discover-mailboxes": ({ next = "0" }: { next?: string }) => ({
          withoutMailbox: 0,
          busy: 0,
          ...pages[Number(next)],
          ...(Number(next) + 1 < pages.length ? { next: String(Number(next) + 1) } : {}),
        }),
        ...places,
        notify: onNotice,
      },
      orchestrators: { "backup-in-turn": place },
    });

  test("queues page after page, each behind the last, then fills its window", async () => {
    const { calls, output } = await tenant([{ mailboxes: 100 }, { mailboxes: 40, withoutMailbox: 2, busy: 1 }]);

    expect(calls.map(({ name, instanceId }) => instanceId ?? name)).toEqual([
      "discover-mailboxes",
      "discover-mailboxes",
      "find-backup-places",
      "backup-tenant-place-0",
      "backup-tenant-place-1",
      "backup-tenant-place-2",
      "notify",
    ]);
    expect(calls[0]?.input).not.toHaveProperty("next");
    expect(calls[1]?.input).toMatchObject({ start: 100, next: "1" });
    expect(calls[4]?.input).toMatchObject({ place: 1, turn: 0, outcomes: NONE, trigger: "schedule" });
    expect(output).toMatchObject({ ...NONE, complete: 3, items: 30, bytes: 300, withoutMailbox: 2, busy: 1 });
  });

  test("has no more places than mailboxes", async () => {
    const { calls } = await tenant([{ mailboxes: 2 }]);

    expect(calls.filter(({ name }) => name === "backup-in-turn")).toHaveLength(2);
  });

  test("ends at once in a tenant without mailboxes", async () => {
    const { calls, output, customStatuses } = await tenant([{ mailboxes: 0, withoutMailbox: 5 }]);

    expect(calls.map(({ name }) => name)).toEqual(["discover-mailboxes", "find-backup-places", "notify"]);
    expect(output).toMatchObject({ ...NONE, withoutMailbox: 5, busy: 0 });
    expect(customStatuses.at(-1)).toMatchObject({ phase: "done", places: 0, mailboxes: 0 });
  });

  test("sums up who is left out, and names the first twenty", async () => {
    const leftOut = Array.from({ length: 15 }, (_, n) => ({ reason: "unlicensed" as const, user: `user ${n}` }));
    const page = { mailboxes: 1, unlicensed: 15, excluded: 2, disabled: 3, unknown: 1, leftOut };

    const { output, customStatuses } = await tenant([page, page]);

    const sums = {
      unlicensed: 30,
      excluded: 4,
      disabled: 6,
      unknown: 2,
      leftOut: [...leftOut, ...leftOut].slice(0, 20),
    };
    expect(output).toMatchObject(sums);
    expect(customStatuses.at(-1)).toMatchObject(sums);
  });

  test("sums those whom Graph did not answer for, or does not permit, and tells people", async () => {
    const notices: Notice[] = [];
    const told = (notice: Notice) => {
      notices.push(notice);
      return { outcome: "sent" };
    };

    const pages = [
      { mailboxes: 1, unanswered: 2 },
      { mailboxes: 0, unanswered: 1, notPermitted: 4 },
    ];
    const { output } = await tenant(pages, {}, undefined, told);

    expect(output).toMatchObject({ complete: 1, unanswered: 3, notPermitted: 4 });
    expect(notices[0]).toMatchObject({ isProblem: true });
    expect(notices[0]?.facts).toContainEqual({ name: "Not reached", value: "3 without an answer, 4 not permitted" });
  });

  test("fails when the pages of the directory lead back to an earlier one", async () => {
    const orchestration = runOrchestrator(backupTenant, {
      input: { trigger: "schedule", full: false, window: 3 },
      retries: false,
      activities: {
        "discover-mailboxes": ({ page }: { page: number }) => ({
          mailboxes: 1,
          withoutMailbox: 0,
          busy: 0,
          next: page % 2 === 0 ? "odd" : "even",
        }),
        notify: () => ({ outcome: "sent" }),
      },
    });

    await expect(orchestration).rejects.toThrow("The pages of the directory lead back to an earlier one");
  });

  test("discovers only the users that it was given", async () => {
    const { calls } = await tenant([{ mailboxes: 1 }], { only: ["ada"] });

    expect(calls[0]?.input).toMatchObject({ only: ["ada"] });
  });

  test("fills its places again when one was lost, with the same queue, and notifies nobody", async () => {
    let lost = 0;
    const once = () => {
      lost += 1;
      if (lost === 1) throw new Error("node exited with code 137 (0x89)");
      return { ...NONE, complete: 2 };
    };
    const notices: Notice[] = [];
    const onNotice = (notice: Notice) => {
      notices.push(notice);
      return { outcome: "sent" };
    };
    const { calls, output } = await tenant([{ mailboxes: 2 }], { window: 1 }, once, onNotice);

    const [first, second] = calls.filter(({ name }) => name === "backup-in-turn");
    expect(second).toEqual(first);
    expect(calls.filter(({ name }) => name === "discover-mailboxes")).toHaveLength(1);
    expect(output).toMatchObject({ complete: 2 });
    expect(notices).toMatchObject([{ isProblem: false }]);
  });

  test("fails when its places fail again and again, rather than return less", async () => {
    const broken = () => {
      throw new Error("the queue is lost");
    };

    const notices: Notice[] = [];
    const onNotice = (notice: Notice) => {
      notices.push(notice);
      return { outcome: "sent" };
    };
    await expect(tenant([{ mailboxes: 2 }], {}, broken, onNotice)).rejects.toThrow(OrchestratorFailedError);
    expect(notices).toMatchObject([{ title: "The backup broke off", isProblem: true }]);
  });

  test.each([
    [{ ...NONE, complete: 1 }, false],
    [{ ...NONE, partial: 1 }, true],
    [{ ...NONE, failed: 1, failures: [{ job: `backup-${aMailbox(1).key}`, reason: "no right to it" }] }, true],
  ])("sends a notice at the end of %j, which says whether that is a problem", async (outcomes, isProblem) => {
    const notices: Notice[] = [];

    await tenant(
      [{ mailboxes: 1 }],
      {},
      () => outcomes,
      (notice) => {
        notices.push(notice);
        return { outcome: "sent" };
      },
    );

    expect(notices).toMatchObject([{ isProblem, id: expect.stringMatching(/^backup-\d{8}T\d{6}Z-/) }]);
    const facts = outcomes.failures.map(({ job, reason }) => ({ name: job, value: reason }));
    expect(notices[0]?.facts).toEqual(expect.arrayContaining(facts));
  });

  test("ends in the same way when no notice can be sent", async () => {
    const { output } = await tenant([{ mailboxes: 1 }], {}, undefined, () => {
      throw new Error("the storage is down");
    });

    expect(output).toMatchObject({ complete: 1 });
  });
});

const HOUR_MS = 3_600_000;

describe("a mailbox that outlasts the night", () => {
  /** A night in which each mailbox takes some waves of an hour each, in places and backups as they are. */
  const aNight = async (hours: readonly number[], overrides: Partial<BackupTenantInput> = {}) => {
    const alone: BackupMailboxInput[] = [];
    const wave = ({ mailbox, wave }: { mailbox: MailboxRef; wave: number }) => {
      const needed = hours[Number(mailbox.id.split(" ")[1])] ?? 0;
      const at = { chunk: wave + 1, batch: 0 };
      const position = { nextChunk: wave + 1, planned: wave + 1 >= needed, at, again: [] };
      const counts = { ...noProgress.totals, planned: 1, exported: 1, bytes: 10 };
      return { ...counts, position, expectedItems: needed, elapsedMs: 1, waitMs: HOUR_MS };
    };
    const options = {
      input: { trigger: "schedule", full: false, window: 1, ...overrides },
      retries: false,
      activities: {
        "discover-mailboxes": () => ({ mailboxes: hours.length, withoutMailbox: 0, busy: 0 }),
        "take-mailbox": ({ turn }: { turn: number }) => (turn < hours.length ? { mailbox: aMailbox(turn) } : {}),
        ...places,
        "open-run": () => ({ laneBudgetMs: 100_000 }),
        "share-slots": ({ wanted }: { wanted: number }) => ({ granted: wanted }),
        "export-wave": wave,
        "commit-snapshot": ({ runId }: { runId: string }) => ({
          ...{ snapshotId: runId, state: "complete", quiet: false, items: 1, bytes: 10 },
        }),
        "remove-scratch": () => ({ removed: 9 }),
        "go-on-alone": ({ input }: { input: BackupMailboxInput }) => {
          alone.push(input);
          return {};
        },
        notify: () => ({ outcome: "sent" }),
      },
      children: { "backup-in-turn": backupInTurn, "backup-mailbox": backupMailbox },
    };
    // Until it ends, or another run begins.
    const run = await runToEnd(backupTenant, options, (next) => !(next as BackupTenantInput | undefined)?.resume);
    return { ...run, alone };
  };

  test("goes on as a job of its own, where it was, and the night ends", async () => {
    const { output, alone } = await aNight([2, 1_000]);

    expect(output).toMatchObject({ complete: 1, goesOn: 1, failed: 0, items: 20 });
    expect(alone).toMatchObject([
      {
        mailbox: aMailbox(1),
        resume: { progress: { wave: 18, position: { nextChunk: 18 }, totals: { exported: 18 } } },
      },
    ]);
    expect(alone[0]).not.toHaveProperty("until");
  });

  test("keeps no one else from being backed up: another run begins for those that were not begun", async () => {
    const { continuedAs, alone } = await aNight([1_000, 1, 1]);

    expect(alone).toHaveLength(1);
    expect(continuedAs).toMatchObject({ trigger: "schedule", window: 1 });
  });

  test("is waited for in a full run", async () => {
    const { output, alone } = await aNight([22, 2], { full: true });

    expect(output).toMatchObject({ complete: 2, goesOn: 0 });
    expect(alone).toEqual([]);
  });
});

describe("go-on-alone", () => {
  const goOn = { mailbox: aMailbox(1), trigger: "schedule", full: false } as const;
  const instanceId = `backup-${aMailbox(1).key}`;

  test("starts the mailbox's backup, once", async () => {
    const { started, clientOf } = aFakeHub({ [instanceId]: { runtimeStatus: "Completed" } });

    for (let delivery = 0; delivery < 2; delivery += 1)
      await deliver(goOnAloneActivity({ clientOf }), goOnAlone, { input: goOn });

    expect(started).toEqual([{ name: "backup-mailbox", instanceId, input: goOn }]);
  });

  test("leaves the night to the others: the timer starts it, and that mailbox is busy", async () => {
    const { started, clientOf } = aFakeHub({ [instanceId]: { runtimeStatus: "Running" } });

    await nightlyBackup({ clientOf, window: 8 })({} as never, aQuietContext());

    expect(started).toMatchObject([{ name: "backup-tenant" }]);
  });
});

describe("backup-in-turn", () => {
  const input: BackupInTurnInput = {
    tenantRun: aRun,
    trigger: "schedule",
    full: false,
    place: 2,
    turn: 0,
    outcomes: NONE,
  };
  const inTurn = (mailboxes: number, result: (mailbox: MailboxRef) => unknown, start: BackupInTurnInput = input) =>
    runOrchestrator(backupInTurn, {
      input: start,
      retries: false,
      activities: {
        "take-mailbox": ({ turn }: { turn: number }) => (turn < mailboxes ? { mailbox: aMailbox(turn) } : {}),
      },
      orchestrators: { "backup-mailbox": ({ mailbox }: { mailbox: MailboxRef }) => result(mailbox) },
    });

  test("backs up one mailbox after the other until none is left", async () => {
    const { calls, output } = await inTurn(2, () => done("complete", 5));

    expect(calls.map(({ name, instanceId }) => instanceId ?? name)).toEqual([
      "take-mailbox",
      `backup-${aMailbox(0).key}`,
      "take-mailbox",
      `backup-${aMailbox(1).key}`,
      "take-mailbox",
    ]);
    expect(calls[2]?.input).toMatchObject({ tenantRun: aRun, place: 2, turn: 1 });
    expect(output).toEqual({ ...NONE, complete: 2, items: 10, bytes: 100 });
  });

  test("counts a mailbox that fails, and goes on with the next", async () => {
    const { output, customStatuses } = await inTurn(3, ({ id }) => {
      if (id === "mailbox 1") throw new Error("no right to this mailbox");
      return done(id === "mailbox 0" ? "partial" : "complete", 5);
    });

    const reason = "Orchestrator function 'backup-mailbox' failed: no right to this mailbox";
    const failures = [{ job: `backup-${aMailbox(1).key}`, reason }];
    expect(output).toEqual({ ...NONE, partial: 1, failed: 1, failures, complete: 1, items: 10, bytes: 100 });
    expect(customStatuses).toContainEqual(expect.objectContaining({ failed: 1, running: `backup-${aMailbox(2).key}` }));
  });

  test("has a status that fits, however many fail and whatever they say", async () => {
    const { customStatuses } = await inTurn(20, () => {
      throw new Error('"\\'.repeat(200));
    });

    // Above 16 KB of UTF-16 the task hub fails the orchestration.
    const bytes = customStatuses.map((status) => 2 * JSON.stringify(status).length);
    expect(customStatuses.at(-1)).toMatchObject({ failed: 19 });
    expect(Math.max(...bytes)).toBeLessThan(1_000);
  });

  test("goes on in a new generation after twenty mailboxes, with its place, turn and counts", async () => {
    const { continuedAs, calls } = await inTurn(50, () => done("complete", 1), { ...input, turn: 20 });

    expect(calls).toHaveLength(40);
    expect(continuedAs).toEqual({
      ...input,
      turn: 40,
      outcomes: { ...NONE, complete: 20, items: 20, bytes: 200 },
    });
  });
});
