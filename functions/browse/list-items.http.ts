import type { HttpHandler } from "@azure/functions";
import * as z from "zod";
import { ExchangeIdFormat } from "../../shared/contracts/id-formats.ts";
import { ItemFilter, isSpan, NO_SPAN } from "../../shared/contracts/item-query.ts";
import { problemResponse, respondWith } from "../../shared/http/problem.ts";
import { paging } from "../../shared/http/query.ts";
import type { MailboxSource } from "../../shared/mailbox-route.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { findFolder } from "../../shared/vault/find-folder.ts";
import { firstPart, liveItems } from "../../shared/vault/indexed-records.ts";
import { itemFilter } from "../../shared/vault/item-filter.ts";
import type { PutRecord } from "../../shared/vault/records.ts";
import { itemIds } from "../id-translation/item-ids.ts";
import { resolveIds } from "../id-translation/resolve-ids.ts";
import type { Translator } from "../id-translation/translator.ts";
import { answerPage } from "./answer-page.ts";
import { folderPaths } from "./folder-paths.ts";
import { openIndex } from "./snapshot-indexes.ts";
import { snapshotRoute } from "./snapshot-route.ts";

const Query = ItemFilter.extend({
  ...paging(100),
  /** The id of one item, in the format that is named or that its shape shows. */
  id: z.string().min(1).max(1_024).optional(),
  format: ExchangeIdFormat.optional(),
})
  .refine(isSpan, NO_SPAN)
  .refine(({ id, format }) => id !== undefined || format === undefined, {
    path: ["format"],
    error: "Expected only with an id",
  });

/**
 * GET /api/mailboxes/{mailbox}/snapshots/{id}/items?id=&format=&folder=&q=&from=&to=&type=&page=&pageSize=
 *
 * 200 with a page of the items that were live in the snapshot, newest record first, and `next` if there may be more. A
 * page before the last can be short, even empty. 400 for a parameter that does not parse, or an id that cannot be of
 * its format; 404 for a mailbox, snapshot or folder that does not exist. When Graph does not translate an id that needs
 * it, the answer is that of `POST /api/ids/translate`.
 */
export const getItems = (
  deps: MailboxSource & { readonly translator: Translator; readonly work: Blobs; readonly budgetMs?: number },
): HttpHandler =>
  snapshotRoute(deps, Query, async ({ manifest }, { page: token, pageSize, ...filter }, { request, mailbox }) => {
    const { mailboxKey, id } = manifest;
    const index = await openIndex(deps, mailboxKey, id);
    const { folders } = index;
    const folder = filter.folder === undefined ? undefined : findFolder(folders, filter.folder);
    if (filter.folder !== undefined && folder === undefined)
      return problemResponse(
        404,
        "folder-not-found",
        "The snapshot has no folder of that id, path or well-known name.",
      );

    const wanted = { ids: filter.id === undefined ? [] : [filter.id], format: filter.format };
    const resolved = await resolveIds(deps.translator, request, mailbox, wanted);
    if ("refusal" in resolved) return respondWith(resolved.refusal);
    const isNamed = itemIds(resolved.ids).has;
    const passes = itemFilter(filter, folder?.id);

    const pathOf = folderPaths(folders);
    return answerPage(
      {
        list: ["items", mailboxKey, id, filter, firstPart(index)],
        token,
        pageSize,
        budgetMs: deps.budgetMs,
        recordsFrom: (from) => liveItems(deps.vault, index, from),
        isWanted: (item) => (filter.id === undefined || isNamed(item.id)) && passes(item),
      },
      (items) => ({ items: items.map((item) => itemView(item, pathOf(item.folderId))) }),
    );
  });

/** The fields by which people know an item, and none about its storage. */
const itemView = (item: PutRecord, folder: string | undefined) => ({
  id: item.id,
  folderId: item.folderId,
  folder,
  type: item.type,
  subject: item.subject,
  from: item.from,
  received: item.received,
  created: item.created,
  modified: item.modified,
  bytes: item.rawBytes,
  categories: item.categories,
  hasAttachments: item.hasAttachments,
  internetMessageId: item.internetMessageId,
});
