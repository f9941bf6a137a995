import { expect } from "vitest";
import type * as z from "zod";
import { isUnfinished, type Unfinished } from "../../../functions/restore/paging/paged.contract.ts";
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
import { type Away, isAway, isTold, type Told } from "../../../shared/durable/outages.ts";
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

  const stepDeps = { openGraph, work, state: work, laneBudgetMs: 600_000 };
  /** One step of planning, as it is delivered. */
  const planStep = (
    overrides: Partial<z.input<typeof planRestore.input>> = {},
    deps: Partial<Parameters<typeof planRestoreActivity>[0]> = {},
  ) =>
    deliver(planRestoreActivity({ ...stepDeps, vault, ...deps }), planRestore, {
      restoreId: aRestoreId,
      mailbox,
      ...(into && { into }),
      snapshotId,
      select: { all: true },
      target: "original",
      slots: 4,
      ...overrides,
    });
  /** Steps until all is planned, as the orchestrator runs them. */
  const plan = (...input: Parameters<typeof planStep>) => toTheEnd(planRestore.name, () => planStep(...input));
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
  const reconcileStep = (
    overrides: Partial<z.input<typeof reconcileRestore.input>> = {},
    deps: Partial<Parameters<typeof reconcileRestoreActivity>[0]> = {},
  ) =>
    deliver(reconcileRestoreActivity({ ...stepDeps, ledgers, clientOf: hub.clientOf, ...deps }), reconcileRestore, {
      ...restore,
      slots: 4,
      snapshotId,
      ...overrides,
    });
  const reconcile = (...input: Parameters<typeof reconcileStep>) =>
    toTheEnd(reconcileRestore.name, () => reconcileStep(...input));
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
    planStep,
    plan,
    makeFolders,
    openSession,
    upload,
    uploadAll,
    reconcileStep,
    reconcile,
    raised: hub.raised,
    report,
    loseInbox,
    inbox,
  };
};

/** Takes steps until one ends the work. None is to meet an outage. */
const toTheEnd = async <T extends object>(name: string, step: () => Promise<T>) => {
  for (;;) {
    const answer = await step();
    if (isAway(answer)) throw new Error(`${name} met an outage`);
    if (isTold(answer)) throw new Error(`${name} was told to stop`);
    if (isUnfinished(answer) && answer.notHeld) throw new Error(`${name} had to stop`);
    if (!isUnfinished(answer)) return answer as Exclude<T, Away | Told | Unfinished>;
  }
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
