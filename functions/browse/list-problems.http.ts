import type { HttpHandler } from "@azure/functions";
import * as z from "zod";
import { paging } from "../../shared/http/query.ts";
import type { MailboxSource } from "../../shared/mailbox-route.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { firstPart, problemRecords } from "../../shared/vault/indexed-records.ts";
import type { ProblemRecord } from "../../shared/vault/snapshot-index.ts";
import { answerPage } from "./answer-page.ts";
import { folderPaths } from "./folder-paths.ts";
import { openIndex } from "./snapshot-indexes.ts";
import { snapshotRoute } from "./snapshot-route.ts";

/**
 * GET /api/mailboxes/{mailbox}/snapshots/{id}/problems?page=&pageSize=
 *
 * 200 with a page of the items that this snapshot left out, with the reasons, and of what else was odd in its run, and
 * `next` if there may be more: `skip` is for good, `fail` until a later run succeeds. 400 for a parameter that does not
 * parse; 404 for a mailbox or snapshot that does not exist.
 */
export const getProblems = (deps: MailboxSource & { readonly work: Blobs }): HttpHandler =>
  snapshotRoute(deps, z.strictObject(paging(100)), async ({ manifest }, { page: token, pageSize }) => {
    const { mailboxKey, id } = manifest;
    const index = await openIndex(deps, mailboxKey, id);
    const pathOf = folderPaths(index.folders);
    return answerPage(
      {
        list: ["problems", mailboxKey, id, firstPart(index)],
        token,
        pageSize,
        recordsFrom: (from) => problemRecords(deps.vault, index, from),
      },
      (page) => ({
        problems: page.map((record) => ({ ...problemView(record), folder: pathOf(record.folderId ?? "") })),
      }),
    );
  });

const problemView = (record: ProblemRecord) => {
  if (record.op === "problem") {
    const { op, itemId, folderId, what, since } = record;
    return { op, id: itemId, folderId, what, since };
  }
  const { op, id, folderId, reason, code, requestId } = record;
  return { op, id, folderId, reason, code, requestId };
};
