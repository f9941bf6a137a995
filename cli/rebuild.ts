import { isDeepStrictEqual } from "node:util";
import type { MailboxKey, RunId } from "../shared/contracts/ids.ts";
import { PROGRAM } from "../shared/program.ts";
import type { Blobs } from "../shared/storage/blobs.ts";
import { VaultDamageError } from "../shared/vault/damage.ts";
import { foldSnapshot } from "../shared/vault/fold.ts";
import { folderRecord, otherFolderRecord } from "../shared/vault/folders.ts";
import type { Head } from "../shared/vault/head.ts";
import type { Manifest, ManifestV2, PartRef } from "../shared/vault/manifest.ts";
import { merkleRoot } from "../shared/vault/merkle.ts";
import { headName, type PackName, parseVaultName, partName } from "../shared/vault/names.ts";
import { readPackIndex } from "../shared/vault/pack-reader.ts";
import { writePart } from "../shared/vault/part-writer.ts";
import { isRecordPack, REBUILT_PART, recordPacksOf } from "../shared/vault/record-packs.ts";
import type { CatalogueRecord, FolderRecord } from "../shared/vault/records.ts";
import { listMailboxes, listSnapshots, moveHead, readManifest, writeManifest } from "../shared/vault/snapshots.ts";
import { findMailbox, readableHead } from "./find.ts";
import type { Printer } from "./printer.ts";
import { UsageError } from "./usage.ts";

/** Records in one part, each about a kilobyte in memory. */
const PART_RECORDS = 4_000;

/** The id of a mailbox when there is neither a head nor a manifest that has it. */
const UNKNOWN = "unknown";

/**
 * Writes a new catalogue from the indexes of the packs, into a vault without one: for each run with packs a snapshot
 * with the records of its batches, and then a head. Facts that no pack has come from undamaged manifests: whose mailbox
 * it is, and when and why a run was made. Delta links are left out, so that the next backup compares everything. A pack
 * that cannot be read, or that should be there, is reported, and the others go on.
 */
export const rebuild = async (
  source: Blobs,
  target: Blobs,
  printer: Printer,
  mailbox: string | undefined,
): Promise<number> => {
  const only = mailbox === undefined ? undefined : await findMailbox(source, mailbox);
  let damaged = 0;
  for await (const key of listMailboxes(source)) {
    if (only !== undefined && key !== only) continue;
    await expectNoCatalogue(target, key);
    damaged += await rebuildMailbox(source, target, printer, key);
  }
  return damaged === 0 ? 0 : 1;
};

const expectNoCatalogue = async (target: Blobs, key: MailboxKey): Promise<void> => {
  for (const prefix of [headName(key), `${key}/snapshots/`, `${key}/catalog/`])
    for await (const { name } of target.list(prefix))
      throw new UsageError(`${name} is there already, and nothing is overwritten: choose another target`);
};

/** What the next run needs of the rebuilt ones. */
interface Rebuilt {
  parent: Manifest["parent"];
  newest: Manifest | undefined;
  /** The records of the folders that there are. */
  folders: ReadonlyMap<string, FolderRecord>;
}

const rebuildMailbox = async (source: Blobs, target: Blobs, { print, warn }: Printer, key: MailboxKey) => {
  const head = await readableHead(source, key);
  const rebuilt: Rebuilt = { parent: null, newest: undefined, folders: new Map() };
  const runs = await runsOf(source, key);
  let damaged = await missingRecords(source, key, runs, warn);
  for (const [runId, packs] of runs) {
    const original = await undamagedManifest(source, key, runId);
    const run = openRun(target, key, runId);
    for (const pack of packs) {
      const records = await recordsOf(source, pack, warn);
      if (records === undefined) damaged += 1;
      await run.add(records ?? []);
    }
    const base = rebuilt.parent === null || original?.base === true;
    const before: Rebuilt["folders"] = base ? new Map() : rebuilt.folders;
    const folders = original?.v === 1 ? foldersOfV1(original) : run.foldersAfter(before);
    const { parts, counts } = await run.close(folderRecords(before, folders));
    rebuilt.folders = folders;
    const { manifest, sha256 } = await writeManifest(target, {
      v: 2,
      id: runId,
      base,
      parent: rebuilt.parent,
      mailboxKey: key,
      mailboxId: original?.mailboxId ?? head?.mailboxId ?? UNKNOWN,
      kind: original?.kind ?? head?.kind ?? "primary",
      ...userOf(original?.user ?? head?.user),
      started: original?.started ?? timeOf(runId),
      finished: original?.finished ?? timeOf(runId),
      trigger: original?.trigger ?? "request",
      counts: { ...counts, folders: [...folders.values()].filter(isBackedUp).length },
      parts,
      root: merkleRoot(parts.map((part) => part.sha256)),
      state: counts.failed > 0 ? "partial" : "complete",
      program: PROGRAM,
    });
    rebuilt.parent = { id: runId, sha256 };
    rebuilt.newest = manifest;
  }
  if (rebuilt.newest !== undefined) await writeHead(target, rebuilt.newest, rebuilt.parent?.sha256 ?? "", head);
  print(`${key}\t${rebuilt.newest?.id ?? ""}`);
  return damaged;
};

/** The packs of each run, in the order in which their batches were cut. */
const runsOf = async (source: Blobs, key: MailboxKey): Promise<Map<RunId, PackName[]>> => {
  const packs: { name: PackName; runId: RunId; chunk: number; batch: number }[] = [];
  for await (const { name } of source.list(`${key}/packs/`)) {
    const parsed = parseVaultName(name);
    if (parsed?.kind === "pack") packs.push({ ...parsed, name, runId: parsed.snapshotId });
  }
  const runs = new Map<RunId, PackName[]>();
  const byPosition = (a: (typeof packs)[number], b: (typeof packs)[number]) =>
    (a.runId < b.runId ? -1 : Number(a.runId > b.runId)) || a.chunk - b.chunk || a.batch - b.batch;
  for (const { runId, name } of packs.toSorted(byPosition)) {
    const run = runs.get(runId);
    if (run === undefined) runs.set(runId, [name]);
    else run.push(name);
  }
  return runs;
};

/**
 * Warns of runs whose folders and removals are not known. Returns the number of packs that are missing; where a run has
 * no manifest either, it may have had none.
 */
const missingRecords = async (
  source: Blobs,
  key: MailboxKey,
  runs: ReadonlyMap<RunId, readonly PackName[]>,
  warn: Printer["warn"],
): Promise<number> => {
  let missing = 0;
  const told = new Set<RunId>();
  for await (const id of listSnapshots(source, key)) {
    const manifest = await undamagedManifest(source, key, id);
    if (manifest === undefined) continue;
    told.add(id);
    for (const name of recordPacksOf(manifest)) {
      if (runs.get(id)?.includes(name)) continue;
      missing += 1;
      warn(`${name} is missing: what was removed then, and how folders were named, is not known`);
    }
  }
  const isUntold = (id: RunId, packs: readonly PackName[]) => !told.has(id) && !packs.some(isRecordPack);
  const untold = [...runs].filter(([id, packs]) => isUntold(id, packs)).map(([id]) => id);
  if (untold.length > 0)
    warn(`${key}: whether anything was removed is not known of ${untold.length} runs, the first of them ${untold[0]}`);
  return missing;
};

const undamagedManifest = async (source: Blobs, key: MailboxKey, runId: RunId): Promise<Manifest | undefined> =>
  (await readManifest(source, key, runId).catch(onlyDamage))?.manifest;

const recordsOf = async (source: Blobs, pack: PackName, warn: Printer["warn"]) =>
  readPackIndex(source, pack).catch((error: unknown) => {
    onlyDamage(error);
    warn((error as VaultDamageError).message);
    return undefined;
  });

const onlyDamage = (error: unknown): undefined => {
  if (!(error instanceof VaultDamageError)) throw error;
  return undefined;
};

/** Collects the records of a run: those of folders, and those of items into parts. */
const openRun = (target: Blobs, key: MailboxKey, runId: RunId) => {
  const counts = { put: 0, removed: 0, skipped: 0, failed: 0, problems: 0, rawBytes: 0, storedBytes: 0 };
  const parts: PartRef[] = [];
  const folders = new Map<string, FolderRecord>();
  const used = new Set<string>();
  let waiting: CatalogueRecord[] = [];

  const write = async (mark: Pick<PartRef, "folders"> = {}): Promise<void> => {
    const name = partName(key, runId, `${REBUILT_PART}${String(parts.length).padStart(5, "0")}`);
    const part = await writePart(target, name, waiting.splice(0, PART_RECORDS));
    if (part === "exists") throw new UsageError(`${name} is there already, and nothing is overwritten`);
    parts.push({ ...part, ...mark });
  };

  return {
    add: async (records: readonly CatalogueRecord[]): Promise<void> => {
      for (const record of records) {
        count(counts, record);
        if (record.op === "put") used.add(record.folderId);
        if (record.op === "folder") folders.set(record.id, record);
      }
      waiting = waiting.concat(records.filter(({ op }) => op !== "folder"));
      while (waiting.length >= PART_RECORDS) await write();
    },
    /** The folders after the run. One that is known only by its items is named by its id. */
    foldersAfter: (before: Rebuilt["folders"]): Rebuilt["folders"] => {
      const after = new Map([...new Map([...before, ...folders])].filter(([, record]) => !("removed" in record)));
      for (const id of used) if (!after.has(id) && !folders.has(id)) after.set(id, namedById(id));
      return after;
    },
    close: async (ofFolders: readonly FolderRecord[]) => {
      if (waiting.length > 0) await write();
      waiting = [...ofFolders];
      while (waiting.length > 0) await write({ folders: true });
      return { parts, counts };
    },
  };
};

const count = (counts: Omit<ManifestV2["counts"], "folders">, record: CatalogueRecord): void => {
  if (record.op === "put") {
    counts.put += 1;
    counts.rawBytes += record.rawBytes;
    if (record.recordedIn === undefined) counts.storedBytes += record.storedBytes;
  } else if (record.op === "remove") counts.removed += 1;
  else if (record.op === "skip") counts.skipped += 1;
  else if (record.op === "fail") counts.failed += 1;
  else if (record.op === "problem") counts.problems += 1;
};

const namedById = (id: string): FolderRecord =>
  folderRecord({ id, displayName: id, path: id.replaceAll("%", "%25").replaceAll("/", "%2F"), type: "", itemCount: 0 });

const foldersOfV1 = ({ folders, otherFolders = [] }: Extract<Manifest, { v: 1 }>): Rebuilt["folders"] =>
  new Map(
    [...folders.map(({ deltaLink: _, ...folder }) => folderRecord(folder)), ...otherFolders.map(otherFolderRecord)].map(
      (record) => [record.id, record],
    ),
  );

const isBackedUp = (record: FolderRecord): boolean => !("removed" in record || record.outside);

/** The records that lead from some folders to others. */
const folderRecords = (before: Rebuilt["folders"], after: Rebuilt["folders"]): FolderRecord[] => [
  ...[...after.values()].filter((record) => !isDeepStrictEqual(record, before.get(record.id))),
  ...[...before.keys()]
    .filter((id) => !after.has(id))
    .map((id): FolderRecord => ({ v: 1, op: "folder", id, removed: true })),
];

const userOf = (user: Manifest["user"]): Pick<Manifest, "user"> => (user === undefined ? {} : { user });

/** A run's id begins with its start, to the second. */
const timeOf = (runId: RunId): string =>
  runId.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*$/, "$1-$2-$3T$4:$5:$6Z");

const writeHead = async (
  target: Blobs,
  newest: Manifest,
  manifestSha256: string,
  before: Head | undefined,
): Promise<void> => {
  const { mailboxKey, mailboxId, kind, id, finished, state, counts } = newest;
  const live = { items: 0, bytes: 0 };
  for await (const { rawBytes } of foldSnapshot(target, mailboxKey, id)) {
    live.items += 1;
    live.bytes += rawBytes;
  }
  await moveHead(target, mailboxKey, () => ({
    v: 1,
    mailboxKey,
    mailboxId,
    kind,
    ...userOf(newest.user),
    newest: { id, manifestSha256, finished, state, ...live, failed: counts.failed },
    checkedAt: finished,
    ...(before?.hold === undefined ? {} : { hold: before.hold }),
  }));
};
