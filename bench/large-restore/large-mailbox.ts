import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { PutRecord, SnapshotFolder } from "../../shared/vault/records.ts";

/** A mailbox that is made up as it is asked for: item `n` of it, one of `folders`, and none of those that are lost. */
export interface LargeMailbox {
  readonly items: number;
  readonly folders: number;
  /** Every so manieth item is lost, until it is restored. */
  readonly lostEvery: number;
}

const ID = "AAMkAGI2TG93AAA-bench-mailbox-0000000000000000000000000000000000000000000000000000000000000000000000000000";

/** Between a request and its answer, beside the time that making it up takes. */
const LATENCY_MS = 20;

export const folderId = (folder: number): string => `${ID}-folder-${folder}`;
export const itemId = (n: number): string => `${ID}-item-${n}`;
/** A restored item has an id of its own. */
export const restoredId = (n: number): string => `${ID}-restored-${n}`;
export const isLost = (n: number, { lostEvery }: LargeMailbox): boolean => n % lostEvery === 0;
const searchKey = (n: number): string =>
  createHash("sha256").update(`${n}`).digest().subarray(0, 16).toString("base64");
const timeOf = (n: number): string => new Date(Date.UTC(2020, 0) + n * 60_000).toISOString();

export const snapshotFolders = ({ folders, items }: LargeMailbox): SnapshotFolder[] =>
  Array.from({ length: folders }, (_, folder) => ({
    id: folderId(folder),
    displayName: `Folder ${folder}`,
    path: `Folder ${folder}`,
    type: "IPF.Note",
    itemCount: Math.ceil(items / folders),
  }));

export const putRecord = (n: number, { folders }: LargeMailbox, pack: PutRecord["pack"]): PutRecord => ({
  ...{ v: 1, op: "put", id: itemId(n), changeKey: `key-${n}`, folderId: folderId(n % folders), type: "IPM.Note" },
  ...{ sizeBytes: 20_000, created: timeOf(n), modified: timeOf(n), received: timeOf(n), categories: [] },
  ...{ subject: `Subject of message ${n}`, from: "somebody@contoso.example", hasAttachments: false },
  ...{ internetMessageId: `<${n}@contoso.example>`, searchKey: searchKey(n) },
  ...{ pack, offset: 35, storedBytes: 10_000, method: "deflate", rawBytes: 20_000, sha256: "0".repeat(64) },
});

/** Answers as Graph does to who lists the mailbox, one in a hundred with 503. */
export const serveMailbox = async (mailbox: LargeMailbox) => {
  const state = { restoredAt: undefined as string | undefined, requests: 0, refused: 0, atOnce: 0, mostAtOnce: 0 };
  const perFolder = Math.ceil(mailbox.items / mailbox.folders);

  const liveItem = (n: number): object | undefined => {
    const lost = isLost(n, mailbox);
    if (lost && state.restoredAt === undefined) return undefined;
    return {
      id: lost ? restoredId(n) : itemId(n),
      changeKey: `key-${n}`,
      type: "IPM.Note",
      size: 20_000,
      createdDateTime: lost ? state.restoredAt : timeOf(n),
      lastModifiedDateTime: timeOf(n),
      categories: [],
      singleValueExtendedProperties: [
        { id: "String 0x37", value: `Subject of message ${n}` },
        { id: "SystemTime 0xe06", value: timeOf(n) },
        { id: "String 0x5d01", value: "somebody@contoso.example" },
        { id: "Binary 0x300b", value: searchKey(n) },
        { id: "String 0x1035", value: `<${n}@contoso.example>` },
      ],
    };
  };
  const answerTo = (url: URL): object => {
    const folder = /-folder-(\d+)\/items$/.exec(decodeURIComponent(url.pathname))?.[1];
    if (folder === undefined)
      return {
        value: snapshotFolders(mailbox).map(({ id, displayName, type, itemCount }) => ({
          ...{ id, displayName, type, totalItemCount: itemCount, childFolderCount: 0 },
        })),
      };
    const top = Number(url.searchParams.get("$top"));
    const skip = Number(url.searchParams.get("$skip") ?? 0);
    const value = Array.from({ length: Math.min(top, perFolder - skip) }, (_, at) =>
      liveItem((skip + at) * mailbox.folders + Number(folder)),
    ).filter((item) => item !== undefined);
    const next = new URL(url);
    next.searchParams.set("$skip", String(skip + top));
    return skip + top < perFolder ? { value, "@odata.nextLink": next.href } : { value };
  };

  const server: Server = createServer((request, response) => {
    state.requests += 1;
    state.atOnce += 1;
    state.mostAtOnce = Math.max(state.mostAtOnce, state.atOnce);
    const url = new URL(request.url ?? "/", `http://${request.headers.host}`);
    const isRefused = state.requests % 100 === 0;
    if (isRefused) state.refused += 1;
    const body = isRefused ? { error: { code: "serviceNotAvailable", message: "bench" } } : answerTo(url);
    setTimeout(() => {
      state.atOnce -= 1;
      response.writeHead(isRefused ? 503 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    }, LATENCY_MS);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, state, stop: () => new Promise((resolve) => server.close(resolve)) };
};
