import { expect } from "vitest";
import type * as z from "zod";
import { planRestoreActivity } from "../../../functions/restore/plan/plan-restore.activity.ts";
import { reconcileRestoreActivity } from "../../../functions/restore/report/reconcile-restore.activity.ts";
import { findRestoreReport } from "../../../functions/restore/report/restore-report.ts";
import {
  createImportSession,
  ensureFolders,
  type ImportSession,
  planRestore,
  reconcileRestore,
  uploadWave,
} from "../../../functions/restore/restore.contract.ts";
import { readRestoreChunk, readRestorePlan } from "../../../functions/restore/restore-state.ts";
import { createImportSessionActivity } from "../../../functions/restore/upload/create-import-session.activity.ts";
import { ensureFoldersActivity } from "../../../functions/restore/upload/ensure-folders.activity.ts";
import { blobLedgers } from "../../../functions/restore/upload/ledger.ts";
import { uploadWaveActivity } from "../../../functions/restore/upload/upload-wave.activity.ts";
import type { MailboxRef } from "../../../shared/contracts/mailbox.ts";
import { importer } from "../../../shared/graph/import-item.ts";
import { sealer } from "../../../shared/security/seal.ts";
import { readHead } from "../../../shared/vault/snapshots.ts";
import { useAzurite } from "../../support/azurite.ts";
import { runBackup } from "../../support/backup-run.ts";
import { aFakeHub } from "../fake-hub.ts";
import { aMailboxInGraph, aRestoreId, deliver, deliverWell } from "../kit.ts";

type Kit = Awaited<ReturnType<typeof aMailboxInGraph>>;

/** A mailbox that was backed up, and the activities that restore it, each delivered as the host does. */
export const aRestore = async (
  mailboxOptions: Parameters<typeof aMailboxInGraph>[0] = {},
  {
    prepare = async () => undefined,
    mailboxOf = async ({ mailbox }) => mailbox,
    intoOf,
    ...options
  }: Parameters<typeof aMailboxInGraph>[1] & {
    prepare?: (kit: Kit) => Promise<void>;
    mailboxOf?: (kit: Kit) => Promise<MailboxRef>;
    /** Another mailbox to restore into. */
    intoOf?: (kit: Kit) => Promise<MailboxRef>;
  } = {},
) => {
  const kit = await aMailboxInGraph({ items: 6, ...mailboxOptions }, options);
  await prepare(kit);
  const { openGraph, vault, work, emulator } = kit;
  const mailbox = await mailboxOf(kit);
  const backUp = () => runBackup({ graphUrl: emulator.graphUrl, token: "emulator-token", vault, work }, mailbox);
  await backUp();
  const snapshotId = (await readHead(vault, mailbox.key))?.newest?.id ?? "";

  const hub = aFakeHub();
  const container = await useAzurite().freshContainer();
  const ledgers = blobLedgers(container);
  const importHosts = [new URL(emulator.importUrl).host];
  const seals = sealer(Buffer.alloc(32, 7));
  const into = intoOf && (await intoOf(kit));
  const restore = { restoreId: aRestoreId, mailbox: into ?? mailbox };

  const plan = (overrides: Partial<z.input<typeof planRestore.input>> = {}) =>
    deliverWell(planRestoreActivity({ openGraph, vault, work, state: work, laneBudgetMs: 600_000 }), planRestore, {
      restoreId: aRestoreId,
      mailbox,
      ...(into && { into }),
      snapshotId,
      select: { all: true },
      target: "original",
      ...overrides,
    });
  const makeFolders = () =>
    deliverWell(ensureFoldersActivity({ openGraph, work, state: work }), ensureFolders, restore);
  const openSession = () =>
    deliverWell(createImportSessionActivity({ openGraph, importHosts, sealer: seals }), createImportSession, restore);
  const upload = (
    session: ImportSession,
    overrides: Partial<z.input<typeof uploadWave.input>> = {},
    deps: Partial<Parameters<typeof uploadWaveActivity>[0]> = {},
  ) =>
    deliver(
      uploadWaveActivity({
        openGraph,
        openImporter: importer({ importHosts, userAgent: "test" }),
        importHosts,
        sealer: seals,
        vault,
        work,
        ledgers,
        state: work,
        firstLookMs: 5,
        ...deps,
      }),
      uploadWave,
      { ...restore, session, slots: 4, pending: [{ from: 0, to: 1 }], budgetMs: 600_000, spent: [], ...overrides },
    );
  /** Waves until nothing is left, as the orchestrator runs them, but without the waits between them. */
  const uploadAll = async (...input: Parameters<typeof upload>) => {
    let result = await upload(...input);
    while (result.left.length > 0) result = await upload(...input);
    return result;
  };
  const reconcile = (overrides: Partial<z.input<typeof reconcileRestore.input>> = {}) =>
    deliverWell(reconcileRestoreActivity({ openGraph, work, ledgers, clientOf: hub.clientOf }), reconcileRestore, {
      ...restore,
      snapshotId,
      ...overrides,
    });
  const report = async () => (await findRestoreReport(work, aRestoreId)) ?? expect.fail("there is no report");

  /** Loses the inbox, plans to bring it back, and opens a session: ready for the first wave. */
  const loseInbox = async () => {
    const lost = await kit.items();
    for (const { id } of lost) await kit.admin["remove-item"]({ mailbox: mailbox.id, item: id });
    await plan();
    await makeFolders();
    return { lost, session: await openSession() };
  };
  /** The contents of the inbox, by their hashes: restored items have new ids. */
  const inbox = async () => (await kit.items()).map(({ sha256 }) => sha256).toSorted();

  return {
    ...kit,
    mailbox,
    into,
    snapshotId,
    backUp,
    seals,
    ledgers,
    container,
    plan,
    makeFolders,
    openSession,
    upload,
    uploadAll,
    reconcile,
    raised: hub.raised,
    report,
    loseInbox,
    inbox,
  };
};

/** The items of every chunk of a restore's plan. */
export const plannedChunks = async ({ work }: Pick<Kit, "work">, restoreId = aRestoreId) => {
  const plan = await readRestorePlan(work, restoreId);
  return Promise.all(Array.from({ length: plan.chunks }, (_, chunk) => readRestoreChunk(work, restoreId, plan, chunk)));
};

export const contents = (items: readonly { readonly sha256: string }[]): string[] =>
  items.map(({ sha256 }) => sha256).toSorted();

/** Adds copies of the first inbox item beside it, or elsewhere: they share its search key, as Exchange's copies do. */
export const copyFirstItem = async (kit: Kit, copies: number, folderId?: string): Promise<void> => {
  const [first] = await kit.items();
  const body = {
    FolderId: folderId ?? (await kit.folderId()),
    Mode: "create",
    Data: await kit.exportOne(first?.id ?? ""),
  };
  for (let n = 0; n < copies; n += 1) await kit.ask(await kit.importUrl(), { body, token: "" });
};
