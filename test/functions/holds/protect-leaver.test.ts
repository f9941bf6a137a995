import { describe, expect, test } from "vitest";
import { holdLeaverActivity } from "../../../functions/holds/hold-leaver.activity.ts";
import { holdLeaver, startLastBackup } from "../../../functions/holds/leaver.contract.ts";
import { protectLeaver } from "../../../functions/holds/protect-leaver.orchestrator.ts";
import { startLastBackupActivity } from "../../../functions/holds/start-last-backup.activity.ts";
import { backupInstance } from "../../../shared/contracts/job-ids.ts";
import type { MailboxRef } from "../../../shared/contracts/mailbox.ts";
import { readHead } from "../../../shared/vault/snapshots.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aKey } from "../../shared/vault/samples.ts";
import { runToEnd } from "../../support/run-orchestrator.ts";
import { changeHead, writeHistory } from "../browse/a-vault.ts";
import { aFakeHub } from "../fake-hub.ts";
import { deliver } from "../kit.ts";

const mailbox: MailboxRef = { key: aKey, id: "MBX:ada@contoso", kind: "primary", userId: "ada" };
const archive: MailboxRef = { ...mailbox, key: "a".repeat(26), kind: "archive" };

describe("protect-leaver", () => {
  const protect = (outcomes: readonly string[]) => {
    const left = [...outcomes];
    return runToEnd(protectLeaver, {
      input: { mailboxes: [mailbox, archive] },
      activities: {
        "hold-leaver": () => ({}),
        "start-last-backup": () => ({ outcome: left.shift() ?? "started" }),
      },
    });
  };

  test("holds every mailbox before it backs up any", async () => {
    const { calls, output } = await protect([]);

    expect(calls.map(({ name, input }) => [name, (input as { mailbox: MailboxRef }).mailbox.kind])).toEqual([
      ["hold-leaver", "primary"],
      ["hold-leaver", "archive"],
      ["start-last-backup", "primary"],
      ["start-last-backup", "archive"],
    ]);
    expect(output).toEqual({ held: 2, started: 2 });
  });

  test("tries again every five minutes while a mailbox is being backed up anyway", async () => {
    const { timers, output } = await protect(["busy", "busy", "started"]);

    expect(timers).toEqual([300_000, 300_000]);
    expect(output).toEqual({ held: 2, started: 2 });
  });
});

describe("hold-leaver", () => {
  const aVault = async () => writeHistory(memoryBlobs(), [[[]]]);
  const hold = (vault: Awaited<ReturnType<typeof aVault>>, holdDays = 30) =>
    deliver(holdLeaverActivity({ vault, holdDays }), holdLeaver, { mailbox });
  const holdOf = async (vault: Awaited<ReturnType<typeof aVault>>) => (await readHead(vault, aKey))?.hold;

  test("holds a mailbox for the days of the settings, and once for two deliveries", async () => {
    const vault = await aVault();

    const { until } = await hold(vault);
    const first = await holdOf(vault);
    await hold(vault, 60);

    expect(first).toMatchObject({ reason: "leaver", until });
    expect(Date.parse(first?.until ?? "") - Date.parse(first?.since ?? "")).toBe(30 * 86_400_000);
    expect(await holdOf(vault)).toEqual(first);
  });

  test.each([
    ["leaves another hold alone", { since: "2026-01-01T00:00:00Z", reason: "legal" }, "legal"],
    [
      "follows a hold that has ended",
      { since: "2026-01-01T00:00:00Z", reason: "legal", until: "2026-01-02T00:00:00Z" },
      "leaver",
    ],
  ])("%s", async (_, before, reason) => {
    const vault = await aVault();
    await changeHead(vault, aKey, { hold: before });

    await hold(vault);

    expect(await holdOf(vault)).toMatchObject({ reason });
  });
});

describe("start-last-backup", () => {
  const start = (instances: Parameters<typeof aFakeHub>[0]) => {
    const hub = aFakeHub(instances);
    return { ...hub, outcome: deliver(startLastBackupActivity(hub), startLastBackup, { mailbox }) };
  };

  test("starts the backup under the id that every backup of the mailbox has", async () => {
    const { outcome, started } = start({ [backupInstance(aKey)]: { runtimeStatus: "Completed" } });

    expect(await outcome).toEqual({ outcome: "started" });
    expect(started).toMatchObject([
      { name: "backup-mailbox", instanceId: backupInstance(aKey), input: { mailbox, trigger: "event", full: false } },
    ]);
  });

  test.each([backupInstance(aKey), "backup-tenant"])("starts nothing while %s is alive", async (id) => {
    const { outcome, started } = start({ [id]: { runtimeStatus: "Running" } });

    expect(await outcome).toEqual({ outcome: "busy" });
    expect(started).toEqual([]);
  });
});
