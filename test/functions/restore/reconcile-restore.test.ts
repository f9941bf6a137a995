import { describe, expect, test } from "vitest";
import * as z from "zod";
import { parseJson } from "../../../shared/vault/blobs.ts";
import { ledgerName, reportName } from "../../../shared/work/restore-state.ts";
import { aRestore, aRestoreId } from "./a-restore.ts";

type Kit = Awaited<ReturnType<typeof aRestore>>;

const Report = z.object({ missing: z.number(), problems: z.array(z.object({ id: z.string(), outcome: z.string() })) });

const reportOf = ({ work }: Kit) => {
  const name = reportName(aRestoreId);
  return parseJson(name, work.blobs.get(name)?.body ?? Buffer.from("null"), Report);
};

describe("reconcile-restore", () => {
  test("finds everything there after a restore, and reports no problem", async () => {
    const kit = await aRestore();
    const { session, lost } = await kit.loseInbox();
    await kit.upload(session);

    expect(await kit.reconcile()).toEqual({
      imported: 6,
      replaced: 0,
      present: 0,
      ambiguous: 0,
      failed: 0,
      missing: 0,
      bytes: lost.reduce((sum, { bytes }) => sum + bytes, 0),
    });
    expect(reportOf(kit)).toEqual({ missing: 0, problems: [] });
  });

  test("reports an item as missing that was imported and is not there", async () => {
    const kit = await aRestore();
    const { session, lost } = await kit.loseInbox();
    await kit.upload(session);
    const [removed] = await kit.items();
    await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: removed?.id ?? "" });

    expect(await kit.reconcile()).toMatchObject({ imported: 5, missing: 1 });
    const original = lost.find(({ sha256 }) => sha256 === removed?.sha256);
    expect(reportOf(kit).problems).toEqual([{ id: original?.id, outcome: "missing" }]);
  });

  test("reports items that no ledger settles as missing", async () => {
    const kit = await aRestore();
    await kit.loseInbox();

    expect(await kit.reconcile()).toMatchObject({ imported: 0, missing: 6 });
    expect(reportOf(kit).problems).toHaveLength(6);
  });

  test("counts a live item once, though two were taken for it", async () => {
    const kit = await aRestore({ items: 2 });
    const { session } = await kit.loseInbox();
    await kit.upload(session, { budgetMs: 1 });
    const [restored] = await kit.items();
    const ledger = await kit.ledgers.open(ledgerName(aRestoreId, 0));
    await ledger.append([{ op: "imported", item: 1, itemId: restored?.id ?? "" }]);
    await ledger.close();

    expect(await kit.reconcile()).toMatchObject({ imported: 1, missing: 1 });
  });

  test("reports the failed ones with their outcome", async () => {
    const kit = await aRestore({ items: 2 });
    const { session } = await kit.loseInbox();
    await kit.fault({ kind: "status", endpoint: "import-item", status: 413, count: 1 });
    await kit.upload(session);

    expect(await kit.reconcile()).toMatchObject({ imported: 1, failed: 1, missing: 0 });
    expect(reportOf(kit).problems).toMatchObject([{ outcome: "failed" }]);
  });

  test("lets the first report stand", async () => {
    const kit = await aRestore({ items: 1 });
    const { session } = await kit.loseInbox();
    await kit.upload(session);
    await kit.reconcile();
    const [item] = await kit.items();
    await kit.admin["remove-item"]({ mailbox: kit.mailbox.id, item: item?.id ?? "" });

    await kit.reconcile();

    expect(reportOf(kit).missing).toBe(0);
  });
});
