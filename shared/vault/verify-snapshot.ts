import { mapBounded } from "../bounded.ts";
import type { MailboxKey, SnapshotId } from "../contracts/ids.ts";
import type { Blobs } from "../storage/blobs.ts";
import { type Finding, type Found, reporting, silent } from "./finding.ts";
import type { PartRef } from "./manifest.ts";
import { belongsTo, manifestName, type PackName, packName, parseVaultName, RECORDS_CHUNK } from "./names.ts";
import { readPart } from "./part-reader.ts";
import type { PutRecord } from "./records.ts";
import { type ChainLink, type PinnedManifest, readLink, readManifest } from "./snapshots.ts";
import { verifyPack } from "./verify-pack.ts";

/** Packs read at the same time: what keeps both the network and the processor busy. */
const PACKS_AT_ONCE = 4;

/** A snapshot among those of its mailbox that are kept. */
export interface KeptSnapshot {
  readonly mailboxKey: MailboxKey;
  readonly id: SnapshotId;
  /** Whether it has a base beside it. */
  readonly hasBase: boolean;
  /** The kept one before it. */
  readonly before: SnapshotId | undefined;
  /** The kept one after it. */
  readonly after: SnapshotId | undefined;
}

/** How far into a snapshot: so many of its parts, and so many packs of the next one. */
export interface SnapshotPlace {
  readonly part: number;
  readonly pack: number;
}

/** What was looked at; `bytes` are of packs as stored. */
export interface Verified {
  packs: number;
  items: number;
  bytes: number;
}

export interface VerifyOptions {
  readonly from?: SnapshotPlace | undefined;
  /** Asked between packs; the place to go on from is yielded when the answer is no. */
  readonly mayGoOn?: (() => boolean) | undefined;
  readonly found: Found;
}

/**
 * Checks what a snapshot adds to those before it: its manifest, which must be the one that the next one names; its base;
 * the parts of both; and the packs of its own run, and of runs before it whose snapshots are not kept any more. So each
 * blob that the kept snapshots of a mailbox need is checked with exactly one of them. Nothing is wrong with a snapshot that
 * is removed meanwhile. Holds one part in memory.
 */
export const verifySnapshot = async (
  blobs: Blobs,
  snapshot: KeptSnapshot,
  { from = { part: 0, pack: 0 }, mayGoOn = () => true, found }: VerifyOptions,
): Promise<Verified & { next: SnapshotPlace | undefined }> => {
  const findings: Finding[] = [];
  const outcome = await verifyParts(blobs, snapshot, from, mayGoOn, (finding) => findings.push(finding));
  const isThere =
    findings.length > 0 && (await blobs.info(manifestName(snapshot.mailboxKey, snapshot.id))) !== undefined;
  if (isThere) findings.forEach(found);
  return outcome;
};

const verifyParts = async (
  blobs: Blobs,
  snapshot: KeptSnapshot,
  from: SnapshotPlace,
  mayGoOn: () => boolean,
  found: Found,
): Promise<Verified & { next: SnapshotPlace | undefined }> => {
  const verified = { packs: 0, items: 0, bytes: 0 };
  const verifyOne = async ({ name, records }: PackOfPart): Promise<void> => {
    const bytes = await verifyPack(blobs, name, records, found);
    if (bytes === undefined) found({ blob: name, problem: `is missing, with ${records.length} items` });
    verified.packs += 1;
    verified.items += records.length;
    verified.bytes += bytes ?? 0;
  };

  const { manifest, base } = await linkOf(blobs, snapshot, found);
  if (from.part === 0 && from.pack === 0) {
    if (manifest !== undefined) await verifyPins(blobs, snapshot, manifest, found);
    for await (const pack of recordPacks(blobs, snapshot)) await verifyOne(pack);
  }
  const parts = [
    ...(manifest?.manifest.parts ?? []).map((part) => ({ part, withOwn: true })),
    // The packs of its own run were checked with the manifest's parts.
    ...(base?.parts ?? []).map((part) => ({ part, withOwn: false })),
  ];
  let firstPack = from.pack;
  for (const [number, { part, withOwn }] of parts.entries()) {
    if (number < from.part) continue;
    const packs = (await reporting(found, () => packsOf(blobs, snapshot, part, withOwn, found))) ?? [];
    for (let pack = firstPack; pack < packs.length; pack += PACKS_AT_ONCE) {
      await mapBounded(packs.slice(pack, pack + PACKS_AT_ONCE), PACKS_AT_ONCE, verifyOne);
      const next = pack + PACKS_AT_ONCE;
      if (!mayGoOn() && next < packs.length) return { ...verified, next: { part: number, pack: next } };
    }
    firstPack = 0;
    if (!mayGoOn() && number + 1 < parts.length) return { ...verified, next: { part: number + 1, pack: 0 } };
  }
  return { ...verified, next: undefined };
};

/** The manifest and the base, each of them also when the other is damaged. */
const linkOf = async (
  blobs: Blobs,
  { mailboxKey, id, hasBase }: KeptSnapshot,
  found: Found,
): Promise<{ manifest: PinnedManifest | undefined; base: ChainLink["base"] }> => {
  const read = (withBase: boolean) => reporting(found, () => readLink(blobs, mailboxKey, { id }, withBase));
  const manifest = await read(false);
  return { manifest, base: manifest && hasBase ? (await read(true))?.base : undefined };
};

/** What a parent holds is its own affair; that it is there is not, unless the snapshot stands alone. */
const verifyPins = async (
  blobs: Blobs,
  { mailboxKey, id, hasBase, after }: KeptSnapshot,
  { manifest, sha256 }: PinnedManifest,
  found: Found,
): Promise<void> => {
  const child = after === undefined ? undefined : await reporting(silent, () => readManifest(blobs, mailboxKey, after));
  const pin = child?.manifest.parent;
  if (pin?.id === id && pin.sha256 !== sha256)
    found({
      blob: manifestName(mailboxKey, id),
      problem: `is not the manifest that the next snapshot names: its SHA-256 is ${sha256}`,
    });

  if (manifest.base || hasBase || manifest.parent === null) return;
  const parent = manifestName(mailboxKey, manifest.parent.id);
  if ((await blobs.info(parent)) === undefined)
    found({ blob: parent, problem: `is missing, and the snapshot ${id} needs it` });
};

interface PackOfPart {
  readonly name: PackName;
  readonly records: PutRecord[];
}

/** The packs of the run that hold no item, which nothing names. */
async function* recordPacks(blobs: Blobs, { mailboxKey, id }: KeptSnapshot): AsyncGenerator<PackOfPart> {
  const prefix = packName(mailboxKey, id, RECORDS_CHUNK, 0).replace(/0\.zip$/, "");
  for await (const { name } of blobs.list(prefix)) yield { name, records: [] };
}

/**
 * The packs that a part names and that are this snapshot's to check, in the order of the part: of runs after the snapshot
 * before it, with or without its own.
 */
const packsOf = async (
  blobs: Blobs,
  { mailboxKey, id, before = "" }: KeptSnapshot,
  part: PartRef,
  withOwn: boolean,
  found: Found,
): Promise<PackOfPart[]> => {
  const packs = new Map<PackName, PackOfPart>();
  for await (const record of readPart(blobs, part)) {
    if (record.op !== "put") continue;
    const { pack: name } = record;
    if (!belongsTo(mailboxKey, name)) {
      found({ blob: part.name, item: record.id, problem: `names ${name}, a pack of another mailbox` });
      continue;
    }
    const run = runOf(name);
    if (run <= before || run > id || (run === id && !withOwn)) continue;
    const pack = packs.get(name) ?? { name, records: [] };
    pack.records.push(record);
    packs.set(name, pack);
  }
  return [...packs.values()];
};

const runOf = (pack: PackName): string => {
  const parsed = parseVaultName(pack);
  return parsed?.kind === "pack" ? parsed.snapshotId : "";
};
