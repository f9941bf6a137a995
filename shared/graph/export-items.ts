import * as z from "zod";
import { EXPORT_ITEMS_LIMIT } from "../contracts/limits.ts";
import { type JsonReader, jsonReader } from "../json/json-reader.ts";
import { decodeBase64 } from "./base64-decode.ts";
import { BrokenAnswerError } from "./broken-answer.ts";
import type { GraphClient } from "./graph-client.ts";
import { type MailboxAddress, mailboxPath } from "./mailbox-address.ts";
import { isMoved } from "./moved-mailbox.ts";

const ItemError = z.looseObject({ code: z.string().nullish(), message: z.string().nullish() });

/** What one element of an export answer said when it was read to its end. */
export interface ExportOutcome {
  readonly itemId: string;
  readonly changeKey: string | undefined;
  /** Graph's code for an item that it could not export; its free text goes no further, as it may quote the item. */
  readonly errorCode: string | undefined;
  /** Where an item of an archive is said to lie instead, as Graph says it: `mailboxAt` reads and checks it. */
  readonly movedLink: string | undefined;
}

/**
 * One element of an export answer. Fields come in any order, so an item's name may follow its content: read `content`
 * to its end if there is any, then ask for the `outcome`.
 */
export interface ExportedElement {
  /** The item's id, if it stood before the content. */
  readonly itemId: string | undefined;
  readonly content: AsyncIterable<Buffer> | undefined;
  outcome(): Promise<ExportOutcome>;
}

/**
 * Exports up to 20 items of a mailbox, as Graph sends them: some may be missing, doubled or out of order, which the
 * caller reconciles. Content is decoded while it arrives, and each element must be finished before the next.
 *
 * @throws {GraphError} for an answer that is no success; for one that breaks off or is not what it should be, here or while
 * content is read, an error that `isBrokenAnswer` knows.
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

/** The elements of the `value` array, wherever it stands in the answer. */
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

/** The value of a field of an element; what it holds instead is not repeated. */
const parsed = <T>(field: string, text: string, schema: z.ZodType<T>): T => {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new BrokenAnswerError(`${field} of an element of an export is not what it should be`);
  }
};

/** Reads up to the content, or to the end where there is none. */
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

  /** To the content or to the end of the element. */
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
