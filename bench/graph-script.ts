import * as z from "zod";
import { EXPORT_ITEMS_LIMIT } from "../shared/contracts/limits.ts";

/**
 * The script that somebody writes to export a mailbox today: a page of ids, then 20 items, whole and in memory. And the
 * one to import it again: one item after another.
 */

const Page = z.looseObject({
  value: z.array(z.looseObject({ id: z.string() })),
  "@odata.nextLink": z.string().optional(),
});
const Session = z.looseObject({ importUrl: z.url() });
const Exported = z.looseObject({ value: z.array(z.looseObject({ itemId: z.string(), data: z.string() })) });

/** The address of Graph, and a token for it. */
export interface Place {
  readonly graphUrl: string;
  readonly token: string;
}

const ask = async <S extends z.ZodType>({ graphUrl, token }: Place, path: string, schema: S, body?: unknown) => {
  const answer = await fetch(new URL(path, graphUrl), {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`The Graph emulator answered ${answer.status}`);
  return schema.parse(await answer.json());
};

const mailboxPath = (mailboxId: string): string => `/v1.0/admin/exchange/mailboxes/${encodeURIComponent(mailboxId)}`;

async function* idsOf(place: Place, first: string): AsyncGenerator<string> {
  for (let path: string | undefined = first; path !== undefined; ) {
    const page: z.output<typeof Page> = await ask(place, path, Page);
    for (const { id } of page.value) yield id;
    path = page["@odata.nextLink"];
  }
}

/** Every item id of a mailbox, 20 at a time within a folder. */
export async function* itemBatches(place: Place, mailboxId: string): AsyncGenerator<string[]> {
  const base = `${mailboxPath(mailboxId)}/folders`;
  const open = [base];
  for (let at = open.shift(); at !== undefined; at = open.shift()) {
    for await (const folder of idsOf(place, `${at}?$top=500`)) {
      open.push(`${base}/${encodeURIComponent(folder)}/childFolders`);
      let batch: string[] = [];
      for await (const id of idsOf(place, `${base}/${encodeURIComponent(folder)}/items?$top=500`)) {
        batch.push(id);
        if (batch.length < EXPORT_ITEMS_LIMIT) continue;
        yield batch;
        batch = [];
      }
      if (batch.length > 0) yield batch;
    }
  }
}

/** The raw streams of up to 20 items. */
export const exportBatch = async (place: Place, mailboxId: string, itemIds: readonly string[]): Promise<Buffer[]> => {
  const { value } = await ask(place, `${mailboxPath(mailboxId)}/exportItems`, Exported, { itemIds });
  return value.map(({ data }) => Buffer.from(data, "base64"));
};

/** Imports raw streams into a folder. */
export const importOneByOne = async (
  place: Place,
  mailboxId: string,
  folderId: string,
  items: readonly Buffer[],
): Promise<void> => {
  const { importUrl } = await ask(place, `${mailboxPath(mailboxId)}/createImportSession`, Session, {});
  for (const item of items) {
    const answer = await fetch(importUrl, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ FolderId: folderId, Mode: "create", Data: item.toString("base64") }),
    });
    if (!answer.ok) throw new Error(`The Graph emulator answered ${answer.status}`);
    await answer.arrayBuffer();
  }
};
