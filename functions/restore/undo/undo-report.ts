import * as z from "zod";
import { MailboxKey, RunId } from "../../../shared/contracts/ids.ts";
import type { Cell } from "../../../shared/http/csv.ts";
import { type Blobs, jsonBytes, readJson } from "../../../shared/storage/blobs.ts";
import { UndoResult } from "./undo.contract.ts";
import { FolderVerdict, undoReportName } from "./undo-state.ts";

/**
 * An item that a restore brought, and what became of it. `folderId` and `id` are of the snapshot, `itemId` of the
 * mailbox. `code` says why it was kept, and `lookAt` which live items to look at.
 */
export const UndoItemReport = z.object({
  folderId: z.string(),
  id: z.string(),
  itemId: z.string().optional(),
  outcome: z.enum([
    "deleted",
    "changed",
    "already-gone",
    "replaced",
    "ambiguous",
    "not-permitted",
    "refused",
    "not-examined",
  ]),
  code: z.string().optional(),
  lookAt: z.array(z.string()).optional(),
});
export type UndoItemReport = z.output<typeof UndoItemReport>;

/** What an undo did, or would do. It names no mailbox by its address. */
export const UndoReport = z.object({
  v: z.literal(1),
  undoId: RunId,
  restoreId: RunId,
  mailbox: MailboxKey,
  dryRun: z.boolean(),
  started: z.iso.datetime(),
  finished: z.iso.datetime(),
  counts: UndoResult,
  /** Of a restore into a folder of its own. */
  folder: FolderVerdict.omit({ survey: true }).optional(),
  /** What to grant, where items were left since the app may not delete them. */
  needs: z.record(z.string(), z.string()).optional(),
  items: z.array(UndoItemReport),
  /** Items beyond those that a report lists. */
  unlisted: z.int().nonnegative(),
});
export type UndoReport = z.output<typeof UndoReport>;

/** The first report that is kept stands. */
export const keepUndoReport = async (work: Blobs, report: UndoReport): Promise<void> => {
  await work.create(undoReportName(report.undoId), jsonBytes(UndoReport.parse(report)));
};

/** `undefined` before the end of an undo, and when its scratch data has expired. */
export const findUndoReport = (work: Blobs, undoId: RunId): Promise<UndoReport | undefined> =>
  readJson(work, undoReportName(undoId), UndoReport);

/** A report as one table: a row for the folder, if there is one, then a row for each item. */
export const undoTable = ({ folder, items }: UndoReport): Cell[][] => [
  ["row", "folderId", "path", "id", "itemId", "outcome", "code", "lookAt"],
  ...(folder === undefined
    ? []
    : [
        [
          ...["folder", folder.folderId, folder.displayName, undefined, undefined],
          ...[folder.outcome, folder.code, folder.lookAt.join(" ")],
        ],
      ]),
  ...items.map(({ folderId, id, itemId, outcome, code, lookAt }) => [
    ...["item", folderId, undefined, id, itemId, outcome, code],
    lookAt?.join(" "),
  ]),
];
