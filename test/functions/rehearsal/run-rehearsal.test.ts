import { describe, expect, test } from "vitest";
import type { Notice } from "../../../functions/notify/notify.contract.ts";
import { Rehearsal } from "../../../functions/rehearsal/rehearsal.contract.ts";
import { rehearseRestore } from "../../../functions/rehearsal/rehearse-restore.timer.ts";
import { runRehearsal } from "../../../functions/rehearsal/run-rehearsal.orchestrator.ts";
import type { RestoreMailboxInput } from "../../../functions/restore/restore.contract.ts";
import { aKey } from "../../shared/vault/samples.ts";
import { OrchestratorFailedError, runOrchestrator } from "../../support/run-orchestrator.ts";
import { aTimer } from "../a-timer.ts";
import { aFakeHub, aQuietContext } from "../fake-hub.ts";
import { aRun } from "../kit.ts";

const mailbox = { key: aKey, id: "MBX:rehearsal@contoso", kind: "primary", userId: "rehearsal" } as const;
const counts = { items: 20, same: 20, different: 0, missing: 0, extra: 0, damagedMailboxes: 0 };

const fails = () => {
  throw new Error("Graph answered 403");
};

const rehearse = async ({
  open = () => ({ mailbox, items: 20, snapshotId: aRun }),
  close = () => ({ ...counts, proved: true }),
  restore = () => null,
}: {
  open?: () => unknown;
  close?: () => unknown;
  restore?: () => unknown;
} = {}) => {
  const notices: Notice[] = [];
  const run = await runOrchestrator(runRehearsal, {
    input: { date: "2026-11-22" },
    retries: false,
    activities: {
      "open-rehearsal": open,
      "close-rehearsal": close,
      notify: (notice: Notice) => {
        notices.push(notice);
        return { outcome: "sent" };
      },
    },
    orchestrators: { "restore-mailbox": restore },
  }).catch((error: unknown) => error);
  return { run, notices };
};

const namesOf = (run: unknown): string[] => (run as { calls: { name: string }[] }).calls.map(({ name }) => name);

describe("run-rehearsal", () => {
  test("takes a sample, restores it by an ordinary restore, compares, and is silent when all is well", async () => {
    const { run, notices } = await rehearse();

    expect(namesOf(run)).toEqual(["open-rehearsal", "restore-mailbox", "close-rehearsal"]);
    const [opened, restored] = (run as { calls: { input: unknown; instanceId?: string }[] }).calls;
    const { rehearsalId, restoreId } = Rehearsal.parse(opened?.input);
    expect(rehearsalId).not.toBe(restoreId);
    expect(restored).toMatchObject({
      instanceId: `restore-${restoreId}`,
      input: { restoreId, planOf: rehearsalId, mailbox, dryRun: false } satisfies Partial<RestoreMailboxInput>,
    });
    expect(notices).toEqual([]);
  });

  test("compares also when the restore fails, and notifies people of the result", async () => {
    const { run, notices } = await rehearse({
      restore: fails,
      close: () => ({ ...counts, same: 0, missing: 20, proved: false }),
    });

    expect(namesOf(run)).toEqual(["open-rehearsal", "restore-mailbox", "close-rehearsal", "notify"]);
    expect(notices).toMatchObject([{ id: "rehearsal-2026-11-22", isProblem: true }]);
    expect(JSON.stringify(notices)).toContain("20 missing");
  });

  test("restores nothing when the vault has nothing", async () => {
    const { run, notices } = await rehearse({
      open: () => ({ mailbox, items: 0 }),
      close: () => ({ ...counts, items: 0, same: 0, proved: false }),
    });

    expect(namesOf(run)).toEqual(["open-rehearsal", "close-rehearsal", "notify"]);
    expect(notices).toHaveLength(1);
  });

  test("notifies people when it breaks off, and fails", async () => {
    const { run, notices } = await rehearse({ open: fails });

    expect(run).toBeInstanceOf(OrchestratorFailedError);
    expect(notices).toMatchObject([{ title: "The restore rehearsal broke off", isProblem: true }]);
  });
});

describe("rehearse-restore", () => {
  test("starts one rehearsal a day, however often it ticks", async () => {
    const { clientOf, started, end } = aFakeHub();
    const tick = () => rehearseRestore({ clientOf, mailbox: "rehearsal@contoso.example" })(aTimer, aQuietContext());

    await tick();
    end(started[0]?.instanceId ?? "");
    await tick();

    expect(started).toMatchObject([
      { name: "run-rehearsal", instanceId: expect.stringMatching(/^rehearsal-\d{4}-\d\d-\d\d$/) },
    ]);
  });

  test("starts nothing without a mailbox for rehearsals", async () => {
    const { clientOf, started } = aFakeHub();

    await rehearseRestore({ clientOf, mailbox: undefined })(aTimer, aQuietContext());

    expect(started).toEqual([]);
  });
});
