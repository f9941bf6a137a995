import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import * as z from "zod";
import { MailboxKey } from "../../shared/contracts/ids.ts";
import { type Blobs, parseJson } from "../../shared/storage/blobs.ts";

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** A mailbox's blobs that no snapshot seemed to need, by the time at which each was first found unneeded. */
const CandidateList = z.object({
  v: z.literal(1),
  mailboxKey: MailboxKey,
  listed: z.array(z.object({ at: z.iso.datetime(), names: z.array(z.string().min(1)) })),
});

/** When each blob was first found unneeded, in milliseconds. */
export type PruneCandidates = ReadonlyMap<string, number>;

/** The list as it was read; `etag` is absent while there is none. */
export interface StoredCandidates {
  readonly candidates: PruneCandidates;
  readonly etag: string | undefined;
}

const listName = (mailboxKey: MailboxKey): string => `removals/${mailboxKey}.json.gz`;

export const readCandidates = async (state: Blobs, mailboxKey: MailboxKey): Promise<StoredCandidates> => {
  const name = listName(mailboxKey);
  const found = await state.readWhole(name);
  if (found === undefined) return { candidates: new Map(), etag: undefined };
  const { listed } = parseJson(name, await decompress(found.body), CandidateList);
  const candidates = listed.flatMap(({ at, names }) => names.map((blob) => [blob, Date.parse(at)] as const));
  return { candidates: new Map(candidates), etag: found.etag };
};

/** Writes the list over the one that was read; false when another writer came between. */
export const replaceCandidates = async (
  state: Blobs,
  mailboxKey: MailboxKey,
  candidates: PruneCandidates,
  etag: string | undefined,
): Promise<boolean> => {
  if (candidates.size === 0 && etag === undefined) return true;
  const byTime = new Map<number, string[]>();
  for (const [blob, atMs] of candidates) {
    const names = byTime.get(atMs);
    if (names === undefined) byTime.set(atMs, [blob]);
    else names.push(blob);
  }
  const listed = [...byTime].map(([atMs, names]) => ({ at: new Date(atMs).toISOString(), names }));
  const body = await compress(JSON.stringify(CandidateList.parse({ v: 1, mailboxKey, listed })));
  return state.replace(listName(mailboxKey), body, etag);
};
