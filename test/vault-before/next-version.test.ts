import { beforeAll, describe, expect, test } from "vitest";
import { openRun } from "../../functions/backup/backup.contract.ts";
import { takeMailbox } from "../../functions/backup/discover/mailbox-queue.ts";
import { mailboxesOfUser } from "../../functions/backup/discover/mailboxes-of-user.ts";
import { readScope } from "../../functions/backup/discover/scope-state.ts";
import { openRunActivity } from "../../functions/backup/open-run.activity.ts";
import { readRun, scratchOf } from "../../functions/backup/run-state.ts";
import { readRehearsalReports } from "../../functions/rehearsal/rehearsal-state.ts";
import { findRestoreReport } from "../../functions/restore/report/restore-report.ts";
import {
  ledgerName,
  readFolderMap,
  readRestoreChunk,
  readRestorePlan,
  readSelection,
} from "../../functions/restore/restore-state.ts";
import { LedgerEntry } from "../../functions/restore/upload/ledger.ts";
import { forgetAndPrune } from "../../functions/retention/forget-and-prune.ts";
import { packsNamedBy } from "../../functions/retention/pack-lists.ts";
import { readCandidates } from "../../functions/retention/prune-candidates.ts";
import { readVerification } from "../../functions/verify/verification-state.ts";
import { auditBlobName, auditLine, SERIES, type Series } from "../../shared/audit/audit-log.ts";
import { RetentionPolicy } from "../../shared/retention-policy.ts";
import { foldSnapshot } from "../../shared/vault/fold.ts";
import { isHeld } from "../../shared/vault/head.ts";
import { readHead, readManifest, walkToBase } from "../../shared/vault/snapshots.ts";
import { verifyMailbox } from "../../shared/vault/verify-mailbox.ts";
import { deliver } from "../functions/kit.ts";
import { memoryBlobs } from "../shared/storage/memory-blobs.ts";
import { all } from "../shared/vault/samples.ts";
import { aVaultBefore, type VaultBefore, versionsBefore } from "./a-vault-before.ts";

const DAY_MS = 86_400_000;

describe.each(await versionsBefore())("what an earlier version left behind: %s", (version) => {
  let before: VaultBefore;
  beforeAll(async () => {
    before = await aVaultBefore(version);
  });

  const kept = (container: "state" | "work" | "vault", name: string): unknown =>
    JSON.parse((before[container].blobs.get(name)?.body ?? expect.fail(`${name} is missing`)).toString());
  const namesIn = (container: "state" | "work" | "audit", prefix = ""): string[] =>
    [...before[container].blobs.keys()].filter((name) => name.startsWith(prefix)).toSorted();
  const refOf = async (key: string) => {
    const head = (await readHead(before.vault, key)) ?? expect.fail("it has no head");
    return { key, id: head.mailboxId, kind: head.kind, userId: head.user?.id ?? "" };
  };

  test("is what the next run follows", async () => {
    for (const { key, snapshots } of before.mailboxes) {
      const runId = "20991122T010000Z-abc234";
      const work = memoryBlobs();
      const open = openRunActivity({ vault: before.vault, work, state: before.state, laneBudgetMs: 1_000 });
      await deliver(open, openRun, { mailbox: await refOf(key), runId, full: false });

      const newest = snapshots.at(-1);
      expect((await readRun(scratchOf(work, key), key, runId)).parent).toEqual({
        id: newest?.id,
        sha256: newest?.manifestSha256,
      });
      expect((await all(walkToBase(before.vault, key, newest?.id ?? ""))).length).toBeGreaterThan(0);
    }
  });

  describe("in the state container", () => {
    test("is what verifications found", async () => {
      for (const { key } of before.mailboxes)
        expect(await readVerification(before.state, key)).toEqual(kept("state", `verification/${key}.json`));
    });

    test("is whose mailboxes are in scope, and which mailboxes were noted for them", async () => {
      const users = new Map(before.mailboxes.map(({ key, user }) => [key, user.id]));

      expect(await readScope(before.state)).toEqual(users);
      for (const [key, user] of users) expect(await mailboxesOfUser(before.state, user)).toEqual([key]);
    });

    test("are rehearsals", async () => {
      const reports = namesIn("state", "rehearsals/").map((name) => kept("state", name));

      expect(reports).toHaveLength(1);
      expect(await readRehearsalReports(before.state, 10)).toEqual(reports);
    });

    test("are the packs that parts name, which need not be read again", async () => {
      for (const { key, snapshots } of before.mailboxes)
        for (const { id } of snapshots) {
          const { parts, root } = (await readManifest(before.vault, key, id))?.manifest ?? expect.fail("it is gone");
          const listed = await packsNamedBy(before, key, { id, parts, root });
          const anew = await packsNamedBy({ ...before, state: memoryBlobs() }, key, { id, parts, root });

          expect([listed.isNew, anew.isNew]).toEqual([false, true]);
          expect(listed.packs).toEqual(anew.packs);
        }
    });
  });

  test("goes on being removed, from the list that was kept, and nothing that is needed or on hold", async () => {
    const { state, vault, mailboxes } = await aVaultBefore(version);
    const policy = RetentionPolicy.parse("last=2");
    const removed: string[] = [];
    for (const { key, hold, snapshots } of mailboxes) {
      const { candidates } = await readCandidates(state, key);
      const nowMs = Date.parse((await readHead(vault, key))?.checkedAt ?? "") + 2 * DAY_MS;
      const context = { nowMs, isLate: () => false, isRunning: async () => false, inUse: async () => () => false };
      const outcome = await forgetAndPrune({ vault, remove: vault.remove, state, policy }, key, context);

      expect(isHeld((await readHead(vault, key))?.hold, nowMs)).toBe(hold !== null);
      expect(outcome).toMatchObject({ outcome: hold === null ? "done" : "held", removed: candidates.size });
      removed.push(...candidates.keys());
      await verifyMailbox(vault, key, (finding) => expect.fail(JSON.stringify(finding)));
      for (const { id, items } of snapshots.slice(-2))
        expect(await all(foldSnapshot(vault, key, id))).toHaveLength(items.length);
    }
    expect(removed.length).toBeGreaterThan(0);
    expect([...vault.blobs.keys()].toSorted()).toEqual(
      [...before.vault.blobs.keys()].filter((name) => !removed.includes(name)).toSorted(),
    );
  });

  /** The run of a backup that is among the scratch data, its mailbox and its snapshot. */
  const aRun = () => {
    const found = before.mailboxes.flatMap(({ key, snapshots }) => snapshots.map((snapshot) => ({ key, snapshot })));
    return found.find(({ snapshot: { id } }) => namesIn("work", `${id}/`).length > 0) ?? expect.fail("there is no run");
  };

  test("is no run that this version carries on: what it kept is not below its mailbox", async () => {
    const { key, snapshot } = aRun();

    await expect(readRun(scratchOf(before.work, key), key, snapshot.id)).rejects.toThrow("The scratch data has no");
  });

  test("is a queue of which every mailbox was taken", async () => {
    const [run = ""] = namesIn("work").flatMap((name) =>
      name.endsWith("/turns.json") ? [name.split("/")[0] ?? ""] : [],
    );

    expect(await takeMailbox(before.work, run, 0, 1)).toBeUndefined();
    const { work } = await aVaultBefore(version);
    await work.remove(`${run}/turns.json`);
    const taken = [await takeMailbox(work, run, 0, 0), await takeMailbox(work, run, 1, 0)];
    expect(taken).toEqual(await Promise.all(before.mailboxes.map(({ key }) => refOf(key))));
  });

  test("are restores: plans that can be carried out, ledgers that say what was imported, and reports", async () => {
    const restores = [...new Set(namesIn("work", "restore-").map((name) => name.split("/")[0] ?? ""))];
    let imported = 0;
    for (const restore of restores) {
      const id = restore.slice("restore-".length);
      const plan = await readRestorePlan(before.work, id);
      const chunks = await Promise.all(
        Array.from({ length: plan.chunks }, (_, n) => readRestoreChunk(before.work, id, plan, n)),
      );
      expect(plan).toEqual(kept("work", `${restore}/plan.json`));
      expect(chunks.flat()).toHaveLength(plan.items);
      expect(await readSelection(before.work, id, { kept: true })).toEqual(kept("work", `${restore}/selection.json`));

      const ledger = before.work.blobs.get(ledgerName(id, 0))?.body.toString();
      if (ledger === undefined) continue;
      const entries = ledger
        .trimEnd()
        .split("\n")
        .map((line) => LedgerEntry.parse(JSON.parse(line)));
      imported += entries.filter(({ op }) => op === "imported").length;
      expect(await findRestoreReport(before.work, id)).toMatchObject({ restoreId: id, counts: { imported } });
      expect(await readFolderMap(before.work, id)).toEqual(kept("work", `${restore}/folders.json`));
    }
    expect(restores).toHaveLength(2);
    expect(imported).toBeGreaterThan(0);
  });

  test("is an audit log whose lines would be written so today", () => {
    for (const name of namesIn("audit")) {
      const series = (Object.keys(SERIES) as Series[]).find((each) => name.startsWith(`${each}-`)) ?? expect.fail(name);
      const lines = before.audit.blobs.get(name)?.body.toString().trimEnd().split("\n") ?? [];
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) {
        const { v: _, ...entry } = JSON.parse(line);
        expect(auditLine(series, entry)).toBe(`${line}\n`);
        expect(auditBlobName(series, entry.at, 1)).toBe(name);
      }
    }
  });
});
