import { type HttpHandler, HttpRequest, type HttpResponseInit, InvocationContext } from "@azure/functions";
import * as z from "zod";
import { appTranslator } from "../../../functions/id-translation/translator.ts";
import type { OpenGraph } from "../../../shared/graph/graph-client.ts";
import type { Blobs } from "../../../shared/storage/blobs.ts";
import { folderRecord } from "../../../shared/vault/folders.ts";
import type { Head } from "../../../shared/vault/head.ts";
import type { Manifest, PartRef } from "../../../shared/vault/manifest.ts";
import { partName } from "../../../shared/vault/names.ts";
import { writePart } from "../../../shared/vault/part-writer.ts";
import type { CatalogueRecord, PutRecord, SnapshotFolder } from "../../../shared/vault/records.ts";
import { moveHead, writeManifest } from "../../../shared/vault/snapshots.ts";
import { memoryBlobs } from "../../shared/storage/memory-blobs.ts";
import { aKey, aManifest, aPut, snapshotAt } from "../../shared/vault/samples.ts";

/** Snapshots, the base first: records by part. */
export type History = readonly (readonly (readonly CatalogueRecord[])[])[];

export const aFolder = (overrides: Partial<SnapshotFolder> = {}): SnapshotFolder => ({
  id: "AAMkAD/inbox=",
  displayName: "Inbox",
  path: "Inbox",
  type: "IPF.Note",
  wellKnownName: "inbox",
  itemCount: 0,
  ...overrides,
});

/** The record of an item that was left out: `skip` for good, `fail` for now. */
export const aProblem = (op: "skip" | "fail", overrides: Partial<PutRecord> = {}, code = "ErrorUnknown") =>
  ({ ...aPut(overrides), op, reason: op === "skip" ? "corrupt" : "unknown-error", code }) as CatalogueRecord;

/** Writes a mailbox's snapshots with the vault's own writers, and its head. */
export const writeHistory = async (
  vault: Blobs,
  history: History,
  { folders = [aFolder()], mailboxKey = aKey }: { folders?: SnapshotFolder[]; mailboxKey?: string } = {},
): Promise<Blobs> => {
  let parent: Manifest["parent"] = null;
  for (const [n, parts] of history.entries()) {
    const id = snapshotAt(n);
    const refs: PartRef[] = [];
    for (const [p, records] of parts.entries()) {
      const ref = await writePart(vault, partName(mailboxKey, id, `p${p}`), records);
      if (ref !== "exists") refs.push(ref);
    }
    const base = parent === null;
    const ofFolders = base
      ? await writePart(vault, partName(mailboxKey, id, "folders"), folders.map(folderRecord))
      : "exists";
    if (ofFolders !== "exists") refs.unshift({ ...ofFolders, folders: true });
    const { counts: none } = aManifest();
    const counts = { ...none, skipped: 3, failed: 2, folders: folders.length };
    const snapshot = aManifest({ id, parent, base, mailboxKey, parts: refs, counts, state: "partial" });
    const { manifest, sha256 } = await writeManifest(vault, snapshot);
    parent = { id, sha256 };
    await moveHead(vault, mailboxKey, () => ({
      v: 1,
      mailboxKey,
      mailboxId: manifest.mailboxId,
      kind: "primary",
      newest: {
        id,
        manifestSha256: sha256,
        finished: manifest.finished,
        state: "partial",
        items: 7,
        bytes: 70,
        failed: 2,
      },
      checkedAt: manifest.finished,
    }));
  }
  return vault;
};

/** Changes fields of a mailbox's head. */
export const changeHead = (vault: Blobs, mailboxKey: string, changes: Partial<Head>): Promise<Head> =>
  moveHead(vault, mailboxKey, (head) => {
    if (head === undefined) throw new Error(`There is no head of ${mailboxKey}`);
    return { ...head, ...changes };
  });

/** Graph that must not be called. */
export const noGraph: OpenGraph = () => ({
  endpoint: "http://127.0.0.1",
  endingAt: () => noGraph({ untilMs: 0 }),
  answer: () => Promise.reject(new Error("Graph was called")),
  stream: () => Promise.reject(new Error("Graph was called")),
  json: () => Promise.reject(new Error("Graph was called")),
});

const Body = z.looseObject({
  items: z.array(z.looseObject({ id: z.string() })).catch([]),
  problems: z.array(z.looseObject({ op: z.string() })).catch([]),
  mailboxes: z.array(z.looseObject({ mailbox: z.string() })).catch([]),
  errors: z.array(z.looseObject({ field: z.string() })).catch([]),
  next: z.string().optional(),
});

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: z.output<typeof Body>;
  readonly text: string;
}

/** Calls a handler as the host does. */
export const call = async (
  handler: HttpHandler,
  params: Record<string, string>,
  query: Record<string, string | number | readonly number[]> = {},
  method = "GET",
): Promise<Answer> => {
  const url = new URL("http://127.0.0.1/api/test");
  for (const [name, values] of Object.entries(query))
    for (const value of [values].flat()) url.searchParams.append(name, String(value));
  const request = new HttpRequest({ method, url: url.href, params });
  const context = new InvocationContext({ logHandler: () => undefined });
  const answer = (await handler(request, context)) as HttpResponseInit;
  return {
    status: answer.status ?? 200,
    headers: answer.headers as Record<string, string>,
    body: Body.parse(JSON.parse(String(answer.body))),
    text: String(answer.body),
  };
};

/** What handlers that browse need: a history in memory, scratch space, and no directory. */
export const aReading = async (history: History, options: Parameters<typeof writeHistory>[2] = {}) => {
  const vault = memoryBlobs();
  await writeHistory(vault, history, options);
  return { vault, work: memoryBlobs(), openGraph: noGraph, translator: appTranslator(noGraph) };
};
