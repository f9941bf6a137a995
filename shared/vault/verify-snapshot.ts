import { mapBounded } from "../bounded.ts";
import type { MailboxKey, SnapshotId } from "../contracts/ids.ts";
import type { Blobs } from "../storage/blobs.ts";
import { type Finding, ignoreFinding, type ReportFinding, reportDamage } from "./finding.ts";
import { itemSet } from "./item-set.ts";
import type { Manifest, PartRef } from "./manifest.ts";
import { belongsTo, manifestName, type PackName, packName, parseVaultName, RECORDS_CHUNK } from "./names.ts";
import { readPart } from "./part-reader.ts";
import { isRecordPack, recordPacksOf } from "./record-packs.ts";
import type { PutRecord } from "./records.ts";
import { type ChainLink, type PinnedManifest, readLink, readManifest } from "./snapshots.ts";
import { verifyPack } from "./verify-pack.ts";

/** Packs read at the same time: enough to keep both the network and the processor busy. */
const PACKS_AT_ONCE = 4;

/** One of the snapshots of a mailbox that are kept. */
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

/** A position in a snapshot's verification: the number of verified parts, and of verified packs of the next part. */
export interface SnapshotPosition {
  readonly part: number;
  readonly pack: number;
}

/** What was verified; `bytes` are of packs as stored. */
export interface Verified {
  packs: number;
  items: number;
  bytes: number;
}

export interface VerifyOptions {
  readonly from?: SnapshotPosition | undefined;
  /** Called between packs. When it returns false, the position to go on from is returned. */
  readonly mayGoOn?: (() => boolean) | undefined;
  readonly report: ReportFinding;
}

/**
 * Checks what a snapshot adds to those before it: its manifest, which must be the one that the next snapshot names; its
 * base; the parts of both; the packs of its own run, and of earlier runs whose snapshots are no longer kept. So each
 * blob that the kept snapshots of a mailbox need is checked with exactly one of them. Reports nothing about a snapshot
 * that was removed meanwhile. Holds one part in memory.
 */
export const verifySnapshot = async (
  blobs: Blobs,
  snapshot: KeptSnapshot,
  { from = { part: 0, pack: 0 }, mayGoOn = () => true, report }: VerifyOptions,
): Promise<Verified & { next: SnapshotPosition | undefined }> => {
  const findings: Finding[] = [];
  const outcome = await verifyParts(blobs, snapshot, from, mayGoOn, (finding) => findings.push(finding));
  const isThere =
    findings.length > 0 && (await blobs.info(manifestName(snapshot.mailboxKey, snapshot.id))) !== undefined;
  if (isThere) findings.forEach(report);
  return outcome;
};

const verifyParts = async (
  blobs: Blobs,
  snapshot: KeptSnapshot,
  from: SnapshotPosition,
  mayGoOn: () => boolean,
  report: ReportFinding,
): Promise<Verified & { next: SnapshotPosition | undefined }> => {
  const verified = { packs: 0, items: 0, bytes: 0 };
  const verifyOne = async ({ name, records }: PackOfPart): Promise<void> => {
    const bytes = await verifyPack(blobs, name, records, report);
    const items = records.filter(({ pack }) => pack === name).length;
    if (bytes === undefined) report({ blob: name, problem: `is missing, with ${contentOf(name, items)}` });
    verified.packs += 1;
    verified.items += items;
    verified.bytes += bytes ?? 0;
  };

  const { manifest, base } = await linkOf(blobs, snapshot, report);
  if (from.part === 0 && from.pack === 0) {
    if (manifest !== undefined) await verifyPins(blobs, snapshot, manifest, report);
    for (const name of await recordPacks(blobs, snapshot, manifest?.manifest)) await verifyOne({ name, records: [] });
  }
  const parts = [
    // The packs of the snapshot's own run are checked with the manifest's parts.
    ...(base?.parts ?? []).map((part) => ({ part, withOwn: false })),
    ...(manifest?.manifest.parts ?? []).map((part) => ({ part, withOwn: true })),
  ];
  const named = packNames();
  let firstPack = from.pack;
  for (const [number, { part, withOwn }] of parts.entries()) {
    const tell = number < from.part ? ignoreFinding : report;
    const packs = (await reportDamage(tell, () => packsOf(blobs, snapshot, part, withOwn, named, tell))) ?? [];
    if (number < from.part) continue;
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

/** The manifest and the base, each also when the other is damaged. */
const linkOf = async (
  blobs: Blobs,
  { mailboxKey, id, hasBase }: KeptSnapshot,
  report: ReportFinding,
): Promise<{ manifest: PinnedManifest | undefined; base: ChainLink["base"] }> => {
  const read = (withBase: boolean) => reportDamage(report, () => readLink(blobs, mailboxKey, { id }, withBase));
  const manifest = await read(false);
  return { manifest, base: manifest && hasBase ? (await read(true))?.base : undefined };
};

/** Checks the hash that the next snapshot pins, and that a needed parent exists. The parent itself is not checked. */
const verifyPins = async (
  blobs: Blobs,
  { mailboxKey, id, hasBase, after }: KeptSnapshot,
  { manifest, sha256 }: PinnedManifest,
  report: ReportFinding,
): Promise<void> => {
  const child =
    after === undefined ? undefined : await reportDamage(ignoreFinding, () => readManifest(blobs, mailboxKey, after));
  const pin = child?.manifest.parent;
  if (pin?.id === id && pin.sha256 !== sha256)
    report({
      blob: manifestName(mailboxKey, id),
      problem: `is not the manifest that the next snapshot names: its SHA-256 is ${sha256}`,
    });

  if (manifest.base || hasBase || manifest.parent === null) return;
  const parent = manifestName(mailboxKey, manifest.parent.id);
  if ((await blobs.info(parent)) === undefined)
    report({ blob: parent, problem: `is missing, and the snapshot ${id} needs it` });
};

interface PackOfPart {
  readonly name: PackName;
  readonly records: PutRecord[];
}

/** The packs of the run without items, which no record names: those that are there, and those that should be. */
const recordPacks = async (
  blobs: Blobs,
  { mailboxKey, id }: KeptSnapshot,
  manifest: Manifest | undefined,
): Promise<Set<PackName>> => {
  const names = new Set(manifest === undefined ? [] : recordPacksOf(manifest));
  const prefix = packName(mailboxKey, id, RECORDS_CHUNK, 0).replace(/0\.zip$/, "");
  for await (const { name } of blobs.list(prefix)) names.add(name);
  return names;
};

const contentOf = (pack: PackName, items: number): string => {
  if (isRecordPack(pack)) return "what a rebuild needs to know of folders and removals";
  return items === 0 ? "what a rebuild needs to know of moved items" : `${items} items`;
};

/** The packs that parts have named so far, at 16 bytes each. */
const packNames = () => {
  const names = itemSet();
  return (pack: PackName): boolean => names.add({ folderId: "", id: pack });
};

/**
 * The packs that a part names and that are checked with this snapshot, in the order of the part: those of runs after
 * the kept snapshot before it, with or without its own run. A pack is checked with the records of its own run. Where
 * only records of later runs name it, it is checked with the first of them.
 */
const packsOf = async (
  blobs: Blobs,
  { mailboxKey, id, before = "" }: KeptSnapshot,
  part: PartRef,
  withOwn: boolean,
  isNew: (pack: PackName) => boolean,
  report: ReportFinding,
): Promise<PackOfPart[]> => {
  const packs = new Map<PackName, PackOfPart>();
  for await (const record of readPart(blobs, part)) {
    if (record.op !== "put") continue;
    const { pack: holder, recordedIn = holder } = record;
    for (const name of new Set([holder, recordedIn])) {
      if (!belongsTo(mailboxKey, name)) {
        report({ blob: part.name, item: record.id, problem: `names ${name}, a pack of another mailbox` });
        continue;
      }
      const run = runOf(name);
      if (run <= before || run > id || (run === id && !withOwn)) continue;
      if (!isNew(name) && name !== recordedIn && !packs.has(name)) continue;
      const pack = packs.get(name) ?? { name, records: [] };
      pack.records.push(record);
      packs.set(name, pack);
    }
  }
  return [...packs.values()];
};

const runOf = (pack: PackName): string => {
  const parsed = parseVaultName(pack);
  return parsed?.kind === "pack" ? parsed.snapshotId : "";
};
