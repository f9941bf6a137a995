import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import * as z from "zod";
import { MailboxKey } from "../../shared/contracts/ids.ts";
import { type Blobs, parseJson } from "../../shared/storage/blobs.ts";

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** Blobs of a mailbox that nothing seemed to need, by when each was first found so. */
const RemovalList = z.object({
  v: z.literal(1),
  mailboxKey: MailboxKey,
  listed: z.array(z.object({ at: z.iso.datetime(), names: z.array(z.string().min(1)) })),
});

/** When each blob was first found without need, in milliseconds. */
export type Removals = ReadonlyMap<string, number>;

/** The list as it was read; `etag` is absent while there is none. */
export interface StoredRemovals {
  readonly removals: Removals;
  readonly etag: string | undefined;
}

const listName = (mailboxKey: MailboxKey): string => `removals/${mailboxKey}.json.gz`;

export const readRemovals = async (state: Blobs, mailboxKey: MailboxKey): Promise<StoredRemovals> => {
  const name = listName(mailboxKey);
  const found = await state.readWhole(name);
  if (found === undefined) return { removals: new Map(), etag: undefined };
  const { listed } = parseJson(name, await decompress(found.body), RemovalList);
  const removals = listed.flatMap(({ at, names }) => names.map((blob) => [blob, Date.parse(at)] as const));
  return { removals: new Map(removals), etag: found.etag };
};

/** Writes the list over the one that was read; false when another writer came between. */
export const replaceRemovals = async (
  state: Blobs,
  mailboxKey: MailboxKey,
  removals: Removals,
  etag: string | undefined,
): Promise<boolean> => {
  if (removals.size === 0 && etag === undefined) return true;
  const byTime = new Map<number, string[]>();
  for (const [blob, atMs] of removals) {
    const names = byTime.get(atMs);
    if (names === undefined) byTime.set(atMs, [blob]);
    else names.push(blob);
  }
  const listed = [...byTime].map(([atMs, names]) => ({ at: new Date(atMs).toISOString(), names }));
  const body = await compress(JSON.stringify(RemovalList.parse({ v: 1, mailboxKey, listed })));
  return state.replace(listName(mailboxKey), body, etag);
};
