import * as z from "zod";
import type { MailboxKey, SnapshotId } from "../contracts/ids.ts";

const KEY = "(?<mailboxKey>[a-z2-7]{26})";
const SNAPSHOT = "(?<snapshotId>\\d{8}T\\d{6}Z-[a-z2-7]{6})";
const NUMBER = "0|[1-9]\\d{0,8}";

const HEAD = new RegExp(`^${KEY}/head\\.json$`);
const MANIFEST = new RegExp(`^${KEY}/snapshots/${SNAPSHOT}\\.manifest\\.json$`);
const BASE = new RegExp(`^${KEY}/snapshots/${SNAPSHOT}\\.base\\.json$`);
const PART = new RegExp(`^${KEY}/catalog/${SNAPSHOT}/(?<part>[a-z0-9][a-z0-9-]{0,62})\\.jsonl\\.gz$`);
const PACK = new RegExp(`^${KEY}/packs/${SNAPSHOT}/c(?<chunk>${NUMBER})-b(?<batch>${NUMBER})\\.zip$`);

export const PartName = z.string().regex(PART, "not the name of a catalogue part");
export type PartName = z.infer<typeof PartName>;

export const PackName = z.string().regex(PACK, "not the name of a pack");
export type PackName = z.infer<typeof PackName>;

export type VaultName =
  | { kind: "head"; mailboxKey: MailboxKey }
  | { kind: "manifest"; mailboxKey: MailboxKey; snapshotId: SnapshotId }
  | { kind: "base"; mailboxKey: MailboxKey; snapshotId: SnapshotId }
  | { kind: "part"; mailboxKey: MailboxKey; snapshotId: SnapshotId; part: string }
  | { kind: "pack"; mailboxKey: MailboxKey; snapshotId: SnapshotId; chunk: number; batch: number };

/** The kind of a vault blob, and the pieces of its name; `undefined` for a name that the vault does not write. */
export const parseVaultName = (name: string): VaultName | undefined => {
  const head = groups(HEAD, name);
  if (head) return { kind: "head", mailboxKey: head.mailboxKey };

  const manifest = groups(MANIFEST, name);
  if (manifest) return { kind: "manifest", mailboxKey: manifest.mailboxKey, snapshotId: manifest.snapshotId };

  const base = groups(BASE, name);
  if (base) return { kind: "base", mailboxKey: base.mailboxKey, snapshotId: base.snapshotId };

  const part = groups(PART, name);
  if (part) return { kind: "part", mailboxKey: part.mailboxKey, snapshotId: part.snapshotId, part: part.part };

  const pack = groups(PACK, name);
  if (!pack) return undefined;
  const { mailboxKey, snapshotId, chunk, batch } = pack;
  return { kind: "pack", mailboxKey, snapshotId, chunk: Number(chunk), batch: Number(batch) };
};

/** The only way to build a blob name. Throws when a piece would not be parsed back as the same piece. */
export const vaultName = (name: VaultName): string => {
  const text = spell(name);
  if (parseVaultName(text)?.kind !== name.kind) throw new Error(`not a vault name: ${JSON.stringify(name)}`);
  return text;
};

export const headName = (mailboxKey: MailboxKey): string => vaultName({ kind: "head", mailboxKey });

export const manifestName = (mailboxKey: MailboxKey, snapshotId: SnapshotId): string =>
  vaultName({ kind: "manifest", mailboxKey, snapshotId });

export const baseName = (mailboxKey: MailboxKey, snapshotId: SnapshotId): string =>
  vaultName({ kind: "base", mailboxKey, snapshotId });

/** `part` is chosen by the writer: lower-case letters, digits and hyphens, unique within the snapshot. */
export const partName = (mailboxKey: MailboxKey, snapshotId: SnapshotId, part: string): PartName =>
  vaultName({ kind: "part", mailboxKey, snapshotId, part });

export const packName = (mailboxKey: MailboxKey, snapshotId: SnapshotId, chunk: number, batch: number): PackName =>
  vaultName({ kind: "pack", mailboxKey, snapshotId, chunk, batch });

/**
 * The chunk of packs without items, whose index holds records that belong to no batch. No run has so many chunks, and
 * as the largest number in a name, it sorts after all others.
 */
export const RECORDS_CHUNK = 999_999_999;

/** Whether a name belongs to the mailbox, so that a record cannot lead a reader into another mailbox. */
export const belongsTo = (mailboxKey: MailboxKey, name: string): boolean => name.startsWith(`${mailboxKey}/`);

const spell = (name: VaultName): string => {
  switch (name.kind) {
    case "head":
      return `${name.mailboxKey}/head.json`;
    case "manifest":
      return `${name.mailboxKey}/snapshots/${name.snapshotId}.manifest.json`;
    case "base":
      return `${name.mailboxKey}/snapshots/${name.snapshotId}.base.json`;
    case "part":
      return `${name.mailboxKey}/catalog/${name.snapshotId}/${name.part}.jsonl.gz`;
    case "pack":
      return `${name.mailboxKey}/packs/${name.snapshotId}/c${name.chunk}-b${name.batch}.zip`;
  }
};

type Group = "mailboxKey" | "snapshotId" | "part" | "chunk" | "batch";

const groups = (pattern: RegExp, name: string): Record<Group, string> | undefined =>
  pattern.exec(name)?.groups as Record<Group, string> | undefined;
