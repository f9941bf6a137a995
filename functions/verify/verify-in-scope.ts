import { createHash } from "node:crypto";
import type { MailboxKey } from "../../shared/contracts/ids.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { type FindingList, findingList } from "../../shared/vault/finding.ts";
import { listMailboxes } from "../../shared/vault/snapshots.ts";
import { keptSnapshots, verifyHead } from "../../shared/vault/verify-mailbox.ts";
import { type KeptSnapshot, verifySnapshot } from "../../shared/vault/verify-snapshot.ts";
import type { Piece, VerifiedMailbox, VerifiedPiece } from "./verification-state.ts";
import type { VerifyPosition, VerifyScope } from "./verify.contract.ts";

/** Most mailboxes in the record of one wave. */
const MAX_MAILBOXES = 500;

/**
 * Verifies the pieces in scope from a position on, in the order of names, until all are verified or `mayGoOn` is false;
 * returns where to go on. Every call gets further, so that waves come to an end.
 */
export const verifyInScope = async (
  vault: Blobs,
  scope: VerifyScope,
  from: VerifyPosition | undefined,
  mayGoOn: () => boolean,
): Promise<{ mailboxes: VerifiedMailbox[]; next: VerifyPosition | undefined }> => {
  const mailboxes: VerifiedMailbox[] = [];
  for await (const key of mailboxesIn(vault, scope)) {
    if (from !== undefined && key < from.mailbox) continue;
    if (mailboxes.length > 0 && (!mayGoOn() || mailboxes.length === MAX_MAILBOXES))
      return { mailboxes, next: { mailbox: key } };
    const start = from?.mailbox === key ? from.at : undefined;
    const { verified, next } = await verifyMailbox(vault, key, scope, start, mayGoOn);
    mailboxes.push(verified);
    if (next !== undefined) return { mailboxes, next: { mailbox: key, at: next } };
  }
  return { mailboxes, next: undefined };
};

async function* mailboxesIn(vault: Blobs, scope: VerifyScope): AsyncGenerator<MailboxKey> {
  if ("mailbox" in scope) yield scope.mailbox;
  else yield* listMailboxes(vault);
}

type Position = NonNullable<VerifyPosition["at"]>;

const verifyMailbox = async (
  vault: Blobs,
  mailbox: MailboxKey,
  scope: VerifyScope,
  from: Position | undefined,
  mayGoOn: () => boolean,
): Promise<{ verified: VerifiedMailbox; next: Position | undefined }> => {
  const verified = { mailbox, done: true, snapshots: 0, packs: 0, items: 0, bytes: 0, problems: 0 };
  const pieces: VerifiedPiece[] = [];
  const end = (next?: Position) => ({ verified: { ...verified, done: next === undefined, pieces }, next });
  const add = (piece: Piece, list: FindingList, done: boolean): void => {
    pieces.push({ piece, done, problems: list.count, findings: [...list.findings] });
    verified.problems += list.count;
  };

  if (from === undefined && !("snapshot" in scope)) {
    const list = findingList();
    await verifyHead(vault, mailbox, list.report);
    add("head", list, true);
  }
  for (const snapshot of await keptSnapshots(vault, mailbox)) {
    const { id } = snapshot;
    if (!isIn(scope, snapshot) || id < (from?.snapshot ?? "")) continue;
    if (pieces.length > 0 && !mayGoOn()) return end({ snapshot: id, part: 0, pack: 0 });
    const list = findingList();
    const position = from?.snapshot === id ? from : undefined;
    const { next, ...totals } = await verifySnapshot(vault, snapshot, { from: position, mayGoOn, report: list.report });
    add(id, list, next === undefined);
    verified.snapshots += next === undefined ? 1 : 0;
    verified.packs += totals.packs;
    verified.items += totals.items;
    verified.bytes += totals.bytes;
    if (next !== undefined) return end({ snapshot: id, ...next });
  }
  return end();
};

const isIn = (scope: VerifyScope, snapshot: KeptSnapshot): boolean => {
  if ("share" in scope) return shareOf(snapshot, scope.of) === scope.share;
  return !("snapshot" in scope) || scope.snapshot === snapshot.id;
};

/**
 * The day, of `days`, on which a snapshot is verified: by a hash, so that nights and mailboxes spread over all days.
 */
const shareOf = ({ mailboxKey, id }: KeptSnapshot, days: number): number =>
  createHash("sha256").update(`${mailboxKey}/${id}`).digest().readUInt32BE(0) % days;
