import * as z from "zod";
import { EXPORT_ITEMS_LIMIT } from "../contracts/limits.ts";
import { type JsonReader, jsonReader } from "../json/json-reader.ts";
import { decodeBase64 } from "./base64-decode.ts";
import { BrokenAnswerError } from "./broken-answer.ts";
import type { GraphClient } from "./graph-client.ts";
import { type MailboxAddress, mailboxPath } from "./mailbox-address.ts";
import { isMoved } from "./moved-mailbox.ts";

const ItemError = z.looseObject({ code: z.string().nullish(), message: z.string().nullish() });

/** The fields of one element of an export answer, once it was read to its end. */
export interface ExportOutcome {
  readonly itemId: string;
  readonly changeKey: string | undefined;
  /** Graph's code for an item that it could not export. Its message is not passed on, as it may quote the item. */
  readonly errorCode: string | undefined;
  /** The link that Graph names for an item in another part of an archive; `mailboxAt` reads and checks it. */
  readonly movedLink: string | undefined;
}

/**
 * One element of an export answer. Fields come in any order, so an item's id may follow its content: read `content`, if
 * there is any, to its end, and then call `outcome`.
 */
export interface ExportedElement {
  /** The item's id, if it comes before the content. */
  readonly itemId: string | undefined;
  readonly content: AsyncIterable<Buffer> | undefined;
  outcome(): Promise<ExportOutcome>;
}

/**
 * Exports up to 20 items of a mailbox, as Graph sends them: some may be missing, doubled or out of order, which the
 * caller must handle. Content is decoded while it arrives. Each element must be finished before the next.
 *
 * @throws {GraphError} for an answer that is no success.
 * @throws an error that `isBrokenAnswer` knows, here or while content is read, for an answer that breaks off or is not
 * of the documented form.
 */
export async function* exportItems(
  graph: GraphClient,
  mailbox: MailboxAddress,
  itemIds: readonly string[],
): AsyncGenerator<ExportedElement> {
  if (itemIds.length === 0 || itemIds.length > EXPORT_ITEMS_LIMIT)
    throw new Error(`exportItems takes 1 to ${EXPORT_ITEMS_LIMIT} ids, not ${itemIds.length}`);
  const body = await graph.stream({
    operation: "POST exportItems",
    target: `${mailboxPath(mailbox)}/exportItems`,
    method: "POST",
    body: { itemIds },
  });
  const chunks = unbroken(body);
  try {
    yield* elements(jsonReader(chunks));
  } finally {
    // The text may end before the body does.
    await chunks.return(undefined);
  }
}

/** The elements of the answer's `value` array, before or after its other fields. */
export async function* elements(json: JsonReader): AsyncGenerator<ExportedElement> {
  await json.expect("{");
  if (await json.accept("}")) return;
  do {
    const field = await json.string();
    await json.expect(":");
    if (field === "value") yield* array(json);
    else await json.skip();
  } while (await json.accept(","));
  await json.expect("}");
}

async function* array(json: JsonReader): AsyncGenerator<ExportedElement> {
  await json.expect("[");
  if (await json.accept("]")) return;
  do {
    const one = await element(json);
    yield one;
    await one.outcome();
  } while (await json.accept(","));
  await json.expect("]");
}

/** The value of a field of an element. The error of a wrong value does not quote it. */
const parsed = <T>(field: string, text: string, schema: z.ZodType<T>): T => {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new BrokenAnswerError(`${field} of an element of an export is not of the documented form`);
  }
};

/** Reads an element up to its content, or to its end when it has none. */
const element = async (json: JsonReader): Promise<ExportedElement> => {
  const fields: { itemId?: string; changeKey?: string; errorCode?: string; movedLink?: string } = {};
  let ended = false;

  const next = async (): Promise<"data" | "more"> => {
    const name = await json.string();
    await json.expect(":");
    switch (name) {
      case "data":
        if ((await json.peek()) === '"'.charCodeAt(0)) return "data";
        await json.skip();
        break;
      case "itemId":
      case "changeKey":
        fields[name] = parsed(name, await json.value(), z.string().nullable()) ?? "";
        break;
      case "error":
      case "Error": {
        const error = parsed(name, await json.value(), ItemError.nullable());
        if (error === null) break;
        fields.errorCode = error.code || "unnamed";
        if (isMoved(fields.errorCode)) fields.movedLink = error.message ?? "";
        break;
      }
      default:
        await json.skip();
    }
    return "more";
  };

  /** Reads on to the content or to the end of the element. */
  const advance = async (): Promise<"data" | "end"> => {
    while (await json.accept(",")) if ((await next()) === "data") return "data";
    await json.expect("}");
    ended = true;
    return "end";
  };

  const start = async (): Promise<"data" | "end"> => {
    await json.expect("{");
    if (await json.accept("}")) {
      ended = true;
      return "end";
    }
    return (await next()) === "data" ? "data" : advance();
  };

  const found = await start();
  return {
    itemId: fields.itemId,
    content: found === "data" ? decodeBase64(json.stringPieces()) : undefined,
    outcome: async () => {
      if (!ended && (await advance()) === "data")
        throw new BrokenAnswerError("an element of an export holds data twice");
      const { itemId, changeKey, errorCode, movedLink } = fields;
      if (itemId === undefined) throw new BrokenAnswerError("an element of an export names no item");
      return { itemId, changeKey, errorCode, movedLink };
    },
  };
};

async function* unbroken(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* body;
  } catch (cause) {
    throw new BrokenAnswerError("the answer to exportItems broke off", { cause });
  }
}
