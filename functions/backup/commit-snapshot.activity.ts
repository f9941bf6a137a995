import type { ActivityHandler } from "durable-functions";
import { allOf } from "../../shared/bounded.ts";
import type { MailboxKey, RunId } from "../../shared/contracts/ids.ts";
import type { MailboxRef } from "../../shared/contracts/mailbox.ts";
import { implement } from "../../shared/durable/activity.ts";
import type { OpenGraph } from "../../shared/graph/graph-client.ts";
import { PROGRAM } from "../../shared/program.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { existing } from "../../shared/storage/create-once.ts";
import { type Head, HeadUser, type NewestSnapshot } from "../../shared/vault/head.ts";
import type { Manifest, PartRef } from "../../shared/vault/manifest.ts";
import { merkleRoot } from "../../shared/vault/merkle.ts";
import { manifestName } from "../../shared/vault/names.ts";
import { distinctProblems, problemKey, readProblems } from "../../shared/vault/problems.ts";
import type { CatalogueRecord, FolderRecord, Problem } from "../../shared/vault/records.ts";
import { moveHead, noneIfDamaged, readHead, readManifest, writeManifest } from "../../shared/vault/snapshots.ts";
import { reviewDamage } from "../verify/review-damage.ts";
import { type BackupTotals, commitSnapshot } from "./backup.contract.ts";
import { folderChanges } from "./commit/folder-records.ts";
import { isNameless, mailboxUser } from "./commit/mailbox-user.ts";
import { packRecords, writeParts } from "./commit/own-records.ts";
import { unfinishedFolders } from "./commit/unfinished-folders.ts";
import { goneIn, liveContents, ownChanges, totalOf } from "./compare/live-contents.ts";
import { noteMailboxOfUser } from "./discover/mailboxes-of-user.ts";
import { foldedCatalogue } from "./folded-catalogue.ts";
import { keepLinks } from "./kept-links.ts";
import { leftOutItems, lostRecords } from "./left-out-items.ts";
import { type FoldedFindings, readOutcome } from "./run-outcome.ts";
import { damageBehind } from "./run-start.ts";
import {
  endRun,
  type Removal,
  type RunFolder,
  type RunFolders,
  readRun,
  readRunFolders,
  scratchOf,
} from "./run-state.ts";

/**
 * Makes a snapshot of what a run stored. Writes parts of the folders that changed, which apply first, and of removed
 * items and problems, which apply last; then the manifest that names all parts; then the head. When nothing has changed
 * since the last snapshot, and it has the same state and tells of every problem of this run, only the head's
 * `checkedAt` moves.
 *
 * Run twice, the first manifest is kept, and the head moves to it once. Where what the run follows turns out to be
 * damaged, the head stays, and the damage is the result.
 */
export const commitSnapshotActivity = (deps: {
  readonly openGraph: OpenGraph;
  readonly vault: Blobs;
  readonly work: Blobs;
  readonly state: Blobs;
}): ActivityHandler =>
  implement(commitSnapshot, async ({ mailbox, runId, trigger, totals, waves, unplanned }, context) => {
    const { openGraph, vault, state } = deps;
    const { key } = mailbox;
    const work = scratchOf(deps.work, key);
    const run = await readRun(work, key, runId);
    const { started, parent, before, damagedPacks } = run;
    const found = await readRunFolders(work, runId);
    const { folders, foldersDeltaLink } = found;
    const outcome = await readOutcome(work, runId, waves);
    checkBooks(runId, { folders, totals, unplanned, ...outcome });
    const { parts: exported } = outcome;
    const unfinished = await unfinishedFolders(vault, folders, outcome, started);
    const removed = outcome.removed.filter(({ folderId }) => !unfinished.ids.has(folderId));
    const unequal = [...outcome.compared.values()].flatMap(({ folderId, problem }) =>
      problem === undefined ? [] : [{ folderId, what: problem }],
    );
    const problems = distinctProblems([...found.problems, ...outcome.problems, ...unfinished.problems, ...unequal]);
    const own = outcome.live ?? (await ownChanges(vault, exported, removed));
    const withChanges = new Set("changed" in own ? own.changed : own.folders);
    const ofFolders = folderChanges(found, { ...outcome, unfinished: unfinished.ids }, withChanges);
    const head = await readHead(vault, key).catch(noneIfDamaged);
    const newest = head?.newest;
    // Written before the head, so that every mailbox in the vault has it.
    if (head?.user?.id !== mailbox.userId) await noteMailboxOfUser(state, mailbox.userId, key);
    const hasChanged = withChanges.size > 0 || !ofFolders.linksOnly || unfinished.ids.size > 0;
    // A partial one may have folders that only this run came to the end of.
    const isQuiet =
      newest &&
      newest.id === parent?.id &&
      !hasChanged &&
      newest.state === (outcome.failed.size + unequal.length > 0 ? "partial" : "complete");
    if (isQuiet && (await tellsAll(vault, key, newest.id, problems))) {
      await keepNewLinks(state, key, newest.id, found, outcome, ofFolders.records);
      // Before the head: a run that went on with this one would confirm what was true when this one asked.
      await endRun(work, runId);
      return confirmNewest(deps, mailbox, newest, head.user);
    }

    const lost = await lostRecords(
      vault,
      folders.flatMap((folder) => folder.lost),
      { parts: exported, removed },
    );
    const catalogue =
      parent === null
        ? undefined
        : foldedCatalogue({ vault, work }, { key, runId, folders, full: run.full }, parent.id);
    const live =
      "changed" in own
        ? own
        : await liveContents(own, catalogue, goneIn(found)).then(totalOf, (error) => damageBehind(run, error));
    if ("damage" in live) {
      context.error(`The vault of ${key} is damaged, and run ${runId} cannot end: ${live.damage}`);
      return { snapshotId: runId, state: "partial" as const, quiet: false, items: 0, bytes: 0, damage: live.damage };
    }
    const last = [...removed.map(removeRecord), ...lost, ...problems.map(problemRecord), ...unfinished.failed];
    const [user, folderParts, lastParts] = await allOf([
      userBefore(vault, key, newest).then((known) => mailboxUser(openGraph, mailbox.userId, known)),
      writeParts(vault, key, runId, "folders", ofFolders.records),
      writeParts(vault, key, runId, "departed", last),
      packRecords(vault, key, runId, [...last, ...ofFolders.records]),
    ]);
    const parts = [...folderParts.map((part) => ({ ...part, folders: true as const })), ...exported, ...lastParts];

    const finished = new Date().toISOString();
    const counts = {
      put: totals.exported,
      removed: removed.length,
      skipped: totals.skipped + lost.length,
      failed: totals.failed + unfinished.failed.length,
      ...(totals.again > 0 ? { again: totals.again } : {}),
      problems: problems.length,
      folders: folders.length,
      rawBytes: totals.bytes,
      storedBytes: totals.storedBytes,
    };
    const leftOut = await leftOutItems(vault, { v: 2, parts, counts, finished });
    const { manifest, sha256 } = await writeManifest(vault, {
      v: 2,
      id: runId,
      base: parent === null,
      parent: parent ?? before ?? null,
      mailboxKey: key,
      mailboxId: mailbox.id,
      kind: mailbox.kind,
      user,
      started,
      finished,
      trigger,
      counts,
      ...(foldersDeltaLink === undefined ? {} : { foldersDeltaLink }),
      parts,
      root: merkleRoot(parts.map((part) => part.sha256)),
      state:
        unfinished.ids.size + outcome.failed.size + unequal.length > 0 || leftOut.some(({ end }) => end === "failed")
          ? "partial"
          : "complete",
      program: PROGRAM,
    });
    await moveHead(vault, key, (head) => headOf(manifest, sha256, live, head), { ofDamaged: "replaced" });
    if (parent === null || damagedPacks !== undefined) await reviewDamage({ vault, state }, key);
    return { snapshotId: runId, state: manifest.state, quiet: false, items: live.items, bytes: live.bytes };
  });

/**
 * Checks that every folder of the run was planned, one at least to its end, unless planning was stopped, and that every
 * planned item has a record of how it ended.
 *
 * @throws {Error} when one is missing: the run then fails, and the next one begins where the last snapshot stands. To
 * commit what is left would lose the rest without a word.
 */
const checkBooks = (
  runId: RunId,
  {
    folders,
    finished,
    failed: unread,
    unplanned,
    totals: { planned, exported, skipped, failed },
    parts,
  }: {
    readonly folders: readonly RunFolder[];
    readonly finished: ReadonlySet<string>;
    readonly failed: ReadonlySet<string>;
    readonly unplanned?: true | undefined;
    readonly totals: BackupTotals;
    readonly parts: readonly PartRef[];
  },
): void => {
  const left = unplanned ? 0 : folders.filter(({ id }) => !finished.has(id)).length;
  if (left > 0) throw new Error(`Run ${runId} has not planned ${left} of its ${folders.length} folders`);
  if (folders.length > 0 && unread.size === folders.length)
    throw new Error(`Graph did not let run ${runId} read any of the mailbox's ${folders.length} folders`);
  const ended = exported + skipped + failed;
  const recorded = parts.reduce((sum, { records }) => sum + records, 0);
  if (ended !== planned || recorded !== planned)
    throw new Error(`Run ${runId} planned ${planned} items, ended ${ended} and has records of ${recorded}`);
};

/** Whether the newest snapshot tells of these problems already. */
const tellsAll = async (
  vault: Blobs,
  key: MailboxKey,
  newest: RunId,
  problems: readonly Problem[],
): Promise<boolean> => {
  if (problems.length === 0) return true;
  const { manifest } = existing(manifestName(key, newest), await readManifest(vault, key, newest));
  const told = new Set(((await readProblems(vault, manifest).catch(noneIfDamaged)) ?? []).map(problemKey));
  return problems.every((problem) => told.has(problemKey(problem)));
};

/** Keeps the delta links of what was listed: those of the newest snapshot would make every later run list it again. */
const keepNewLinks = async (
  state: Blobs,
  key: MailboxKey,
  snapshot: RunId,
  { isListed, foldersDeltaLink }: RunFolders,
  { listed, failed }: FoldedFindings,
  records: readonly FolderRecord[],
): Promise<void> => {
  if (!isListed && listed.size + failed.size === 0) return;
  const folders = records.flatMap((record) => ("removed" in record ? [] : [record]));
  await keepLinks(state, key, {
    snapshot,
    ...(foldersDeltaLink === undefined ? {} : { foldersDeltaLink }),
    folders: folders.map(({ id, deltaLink }) => ({ id, ...(deltaLink === undefined ? {} : { deltaLink }) })),
  });
};

const userBefore = async (vault: Blobs, key: MailboxKey, newest: Head["newest"] | undefined) =>
  newest ? (await readManifest(vault, key, newest.id).catch(noneIfDamaged))?.manifest.user : undefined;

/** Ends a quiet run: the mailbox is still as the newest snapshot has it. A head that names nobody gets a name. */
const confirmNewest = async (
  { openGraph, vault }: { readonly openGraph: OpenGraph; readonly vault: Blobs },
  { key, userId }: MailboxRef,
  newest: NewestSnapshot,
  named: Head["user"],
) => {
  const user = isNameless(named) ? HeadUser.parse(await mailboxUser(openGraph, userId, named)) : named;
  const checkedAt = new Date().toISOString();
  await moveHead(vault, key, (head) => {
    if (head === undefined) throw new Error(`The head of ${key} is gone`);
    return { ...head, ...(user === undefined ? {} : { user }), checkedAt };
  });
  return { snapshotId: newest.id, state: newest.state, quiet: true, items: newest.items, bytes: newest.bytes };
};

const removeRecord = (removal: Removal): CatalogueRecord => ({ v: 1, op: "remove", ...removal });

const problemRecord = (problem: Problem): CatalogueRecord => ({ v: 1, op: "problem", ...problem });

/** A mailbox with snapshots whose head is lost or damaged may have been on hold: nothing of it is removed. */
const HOLD_OF_LOST_HEAD = "The head was lost or damaged, and with it whether the mailbox is on hold";

const headOf = (
  manifest: Manifest,
  sha256: string,
  live: { readonly items: number; readonly bytes: number },
  head: Head | undefined,
): Head => ({
  ...(head?.hold === undefined ? {} : { hold: head.hold }),
  ...(head === undefined && manifest.parent !== null
    ? { hold: { since: manifest.finished, reason: HOLD_OF_LOST_HEAD } }
    : {}),
  v: 1,
  mailboxKey: manifest.mailboxKey,
  mailboxId: manifest.mailboxId,
  kind: manifest.kind,
  ...(manifest.user === undefined ? {} : { user: HeadUser.parse(manifest.user) }),
  newest: {
    id: manifest.id,
    manifestSha256: sha256,
    finished: manifest.finished,
    state: manifest.state,
    items: live.items,
    bytes: live.bytes,
    failed: manifest.counts.failed,
  },
  checkedAt: manifest.finished,
});
