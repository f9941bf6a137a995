import { z } from "zod";
import { badRequest, GraphFailure, notFound } from "./errors.ts";
import { readImportBody } from "./import-body.ts";
import type { ImportSession } from "./import-session.ts";
import { readStreamHead, type StreamCheck, streamCheck } from "./item-stream.ts";
import { itemId } from "./item-view.ts";
import type { HostedMailbox } from "./mailboxes.ts";
import type { StagedContent } from "./state/content-store.ts";
import type { Content, ItemProperties, ItemRecord } from "./state/records.ts";
import type { Reply, World } from "./world.ts";

/** @doc Field names and rules. */
const ImportBody = z.object({
  FolderId: z.string().min(1),
  Mode: z.enum(["create", "update"]),
  Data: z.string(),
  ItemId: z.string().optional(),
  ChangeKey: z.string().optional(),
});
type ImportBody = z.infer<typeof ImportBody>;

interface Received {
  readonly content: Extract<Content, { kind: "file" }>;
  readonly properties: ItemProperties;
}

/**
 * POST {importUrl}: takes one item in while it arrives, and commits it when every byte of its stream is as exported.
 *
 * @doc Rules of `Mode`. @observed Search key and dates of the item stay, creation time and size change. @guess
 * Statuses.
 */
export const importItem = async (
  world: World,
  session: ImportSession,
  mailbox: HostedMailbox,
  body: AsyncIterable<Buffer>,
): Promise<Reply> => {
  const staged = await world.content.stage();
  const check = streamCheck();
  try {
    const raw = await readImportBody(body, async (bytes) => {
      check.update(bytes);
      await staged.write(bytes);
    });
    const request = readRequest(raw);
    targetFolder(mailbox, request);
    const received = await receive(staged, check);
    return commitImport(world, session, mailbox, request, { ...received, keep: staged.keep });
  } finally {
    await staged.close();
  }
};

/** Nothing here waits: what is checked is still so when it is committed. */
const commitImport = (
  world: World,
  session: ImportSession,
  mailbox: HostedMailbox,
  request: ImportBody,
  received: Received & { readonly keep: () => string },
): Reply => {
  const { state } = mailbox;
  const folderKey = targetFolder(mailbox, request);
  const before = request.Mode === "update" ? currentItem(world, mailbox, request, folderKey) : undefined;
  const { home, index } = before ?? state.nextUid();
  const time = new Date(world.now()).toISOString();
  const record: ItemRecord = {
    home,
    index,
    generation: before?.generation ?? 0,
    folderKey,
    changeNumber: state.nextChangeNumber(),
    properties: received.properties,
    content: { ...received.content, name: received.keep() },
    created: before?.created ?? time,
    modified: time,
    imported: true,
  };
  state.commit({ op: "item", at: world.now(), record });
  const { importTellsChangeKey, importedItemsMoveOn } = world.settings().behaviours;
  if (importedItemsMoveOn)
    state.commit({ op: "item", at: world.now(), record: { ...record, changeNumber: state.nextChangeNumber() } });
  world.counters.imported();

  const context = `${world.importOrigin()}/api/g${session.version}/$metadata#microsoft.graph.importMailboxItemResponse`;
  const changeKey = state.ids.shortChangeKey(record.changeNumber);
  return {
    status: 200,
    json: {
      "@odata.context": context,
      itemId: itemId(mailbox, record),
      ...(importTellsChangeKey && { changeKey }),
    },
  };
};

const readRequest = (raw: unknown): ImportBody => {
  const request = ImportBody.safeParse(raw);
  if (!request.success) throw badRequest(`Invalid import request: ${z.prettifyError(request.error)}`);
  const { Mode, ItemId, ChangeKey } = request.data;
  if (Mode === "create" && (ItemId !== undefined || ChangeKey !== undefined)) {
    throw badRequest("ItemId and ChangeKey must not be specified when Mode is create.");
  }
  if (Mode === "update" && (ItemId === undefined || ChangeKey === undefined)) {
    throw badRequest("ItemId and ChangeKey are required when Mode is update.");
  }
  return request.data;
};

const targetFolder = (mailbox: HostedMailbox, request: ImportBody): string => {
  const folder = mailbox.state.folderById(request.FolderId);
  if (folder === undefined) throw notFound("ErrorFolderNotFound");
  const isAuxiliary = mailbox.auxiliaryFolders.has(folder.key);
  if (mailbox.kind === "auxiliary" && !isAuxiliary) throw notFound("ErrorFolderNotFound");
  if (mailbox.kind === "archive" && isAuxiliary) {
    const message = `Invalid import session. The target session is expected in mailbox ${mailbox.auxiliary?.id}`;
    throw new GraphFailure(409, "", message, { shape: "message" });
  }
  return folder.key;
};

const currentItem = (world: World, mailbox: HostedMailbox, request: ImportBody, folderKey: string): ItemRecord => {
  const { ids, itemById } = mailbox.state;
  const item = itemById(request.ItemId ?? "");
  if (item === undefined || item.folderKey !== folderKey) throw notFound();
  const isShort = request.ChangeKey === ids.shortChangeKey(item.changeNumber);
  const isLong = request.ChangeKey === ids.changeKey(item.changeNumber);
  const { updateTakes } = world.settings().behaviours;
  if ((isShort && updateTakes !== "long") || (isLong && updateTakes !== "short")) return item;
  throw new GraphFailure(409, "ErrorIrresolvableConflict", "The change key does not match the current item.");
};

const receive = async (staged: StagedContent, check: StreamCheck): Promise<Received> => {
  const corrupt = () => badRequest("The data of the item is corrupt.", "ErrorCorruptData");
  if (!check.isIntact()) throw corrupt();
  const head = await readStreamHead(staged.readAt, check.length());
  if (head === undefined) throw corrupt();
  const { properties, payloadStart, payloadBytes } = head;
  return { properties, content: { kind: "file", name: "", payloadStart, payloadBytes, verbatim: true } };
};
