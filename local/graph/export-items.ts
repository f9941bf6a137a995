import { z } from "zod";
import { badRequest } from "./errors.ts";
import { hashText } from "./generated-content.ts";
import { itemStream } from "./item-stream.ts";
import type { ItemRecord } from "./state/records.ts";
import { contextUrl, type MailboxCall, type Reply } from "./world.ts";

const ExportRequest = z.object({ itemids: z.array(z.string()).min(1) });

/** Text gathers up to this size before it is sent. */
const PIECE_CHARACTERS = 64 * 1024;

type Answer =
  | { readonly id: string; readonly item: ItemRecord }
  | { readonly id: string; readonly error: { code: string; message: string }; readonly key: "error" | "Error" };

/**
 * POST .../exportItems: a JSON answer that is computed while it is sent, so that an item of any size takes no memory.
 *
 * @doc At most 20 ids, success item by item. @observed Items may be missing from a 200 (a fault here).
 */
export const exportItems = async (call: MailboxCall): Promise<Reply> => {
  const { limits, behaviours } = call.world.settings();
  const ids = await readIds(call);
  if (limits.enabled && ids.length > limits.maxExportIds) {
    throw badRequest(`At most ${limits.maxExportIds} item ids are allowed.`, behaviours.exportTooManyCode);
  }
  call.world.counters.exported(ids.length);
  const ordered = behaviours.exportShuffled ? ids.toSorted((a, b) => hashText(a) - hashText(b)) : ids;
  const isEmpty = call.world.faults.exportIsEmpty(call.mailbox.id);
  const answers = isEmpty ? [] : ordered.flatMap((id) => answerFor(call, id));
  return {
    status: 200,
    headers: { "content-type": "application/json; odata.metadata=minimal; charset=utf-8" },
    pieces: gather(answerText(call, answers)),
  };
};

/** @doc Action parameters bind whatever their letter case. */
const readIds = async (call: MailboxCall): Promise<string[]> => {
  const body = z.record(z.string(), z.unknown()).safeParse(await call.request.json());
  const folded = Object.entries(body.data ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  const parsed = ExportRequest.safeParse(Object.fromEntries(folded));
  if (!parsed.success) throw badRequest("itemIds must be a list of at least one item id.");
  return parsed.data.itemids;
};

const answerFor = (call: MailboxCall, id: string): Answer[] => {
  const { mailbox, world, request } = call;
  const fault = world.faults.exportItem(mailbox.id, id);
  if (fault?.outcome === "missing") return [];
  const key = fault?.outcome === "error" ? fault.key : world.settings().behaviours.exportErrorKey;
  const error = (code: string, message: string): Answer[] => [{ id, error: { code, message }, key }];
  if (fault !== undefined) return error(fault.code, fault.message);

  const item = mailbox.state.itemById(id);
  if (item === undefined) return error("ErrorItemNotFound", "The specified object was not found in the store.");
  const isAuxiliary = mailbox.auxiliaryFolders.has(item.folderKey);
  if (mailbox.kind === "auxiliary" && !isAuxiliary) {
    return error("ErrorItemNotFound", "The specified object was not found in the store.");
  }
  if (mailbox.kind === "archive" && isAuxiliary) {
    const url = `${request.origin}/beta/admin/exchange/mailboxes/${mailbox.auxiliary?.id}/exportItems`;
    const moved = { code: "ErrorArchiveFolderMovedPermanently", message: url };
    return [{ id, error: moved, key: "Error" }];
  }
  return [{ id, item }];
};

async function* answerText(call: MailboxCall, answers: readonly Answer[]): AsyncGenerator<string> {
  const context = contextUrl(call, "Collection(microsoft.graph.exportItemResponse)");
  yield `{"@odata.context":${JSON.stringify(context)},"value":[`;
  for (const [i, answer] of answers.entries()) {
    const start = `${i === 0 ? "" : ","}{"itemId":${JSON.stringify(answer.id)},`;
    if ("error" in answer) {
      yield `${start}"${answer.key}":${JSON.stringify(answer.error)}}`;
      continue;
    }
    yield `${start}"changeKey":"${call.mailbox.state.ids.changeKey(answer.item.changeNumber)}","data":"`;
    yield* base64(itemStream(answer.item, call.mailbox.state.seed, call.world.content));
    yield `"}`;
  }
  yield "]}";
}

/** Encodes in multiples of three bytes, so that the parts join to one base64 text. */
async function* base64(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let carry: Buffer = Buffer.alloc(0);
  for await (const piece of source) {
    const missing = carry.length === 0 ? 0 : 3 - carry.length;
    const lead = Buffer.concat([carry, piece.subarray(0, missing)]);
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).subarray(missing);
    if (lead.length < 3 && lead.length > 0) {
      carry = lead;
      continue;
    }
    const whole = bytes.length - (bytes.length % 3);
    yield lead.toString("base64") + bytes.toString("base64", 0, whole);
    carry = Buffer.from(bytes.subarray(whole));
  }
  yield carry.toString("base64");
}

/** Joins small texts, so that many small items do not make many small writes. */
async function* gather(source: AsyncIterable<string>): AsyncGenerator<string> {
  let held = "";
  for await (const text of source) {
    held += text;
    if (held.length < PIECE_CHARACTERS) continue;
    yield held;
    held = "";
  }
  yield held;
}
