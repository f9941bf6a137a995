import type { MailboxKey, SnapshotId } from "../contracts/ids.ts";
import type { Blobs } from "../storage/blobs.ts";
import { ignoreFinding, type ReportFinding, reportDamage } from "./finding.ts";
import { headName, manifestName } from "./names.ts";
import { nameSnapshots, readHead, readManifest } from "./snapshots.ts";
import { type KeptSnapshot, type Verified, verifySnapshot } from "./verify-snapshot.ts";

/** The snapshots of a mailbox, oldest first, each with its neighbours. */
export const keptSnapshots = async (blobs: Blobs, mailboxKey: MailboxKey): Promise<KeptSnapshot[]> => {
  const { manifests, bases } = await nameSnapshots(blobs, mailboxKey);
  const withBase = new Set(bases);
  return manifests.map((id, n) => {
    return { mailboxKey, id, hasBase: withBase.has(id), before: manifests[n - 1], after: manifests[n + 1] };
  });
};

/** Checks a mailbox's head, and that the manifest which it names exists and has the hash which it names. */
export const verifyHead = async (blobs: Blobs, mailboxKey: MailboxKey, report: ReportFinding): Promise<void> => {
  const blob = headName(mailboxKey);
  await reportDamage(report, async () => {
    const head = await readHead(blobs, mailboxKey);
    if (head === undefined) return report({ blob, problem: "is missing" });
    if (head.mailboxKey !== mailboxKey) return report({ blob, problem: `is the head of ${head.mailboxKey}` });
    if (head.newest !== null) await verifyNewest(blobs, mailboxKey, head.newest, report);
  });
};

const verifyNewest = async (
  blobs: Blobs,
  mailboxKey: MailboxKey,
  { id, manifestSha256 }: { readonly id: SnapshotId; readonly manifestSha256: string },
  report: ReportFinding,
): Promise<void> => {
  const blob = manifestName(mailboxKey, id);
  const newest = await reportDamage(ignoreFinding, () => readManifest(blobs, mailboxKey, id));
  if (newest !== undefined && newest.sha256 !== manifestSha256)
    report({ blob, problem: `is not the manifest that the head names: its SHA-256 is ${newest.sha256}` });
  if (newest === undefined && (await blobs.info(blob)) === undefined)
    report({ blob, problem: "is missing, and the head names it" });
};

/** Checks every blob that the kept snapshots of a mailbox need. */
export const verifyMailbox = async (
  blobs: Blobs,
  mailboxKey: MailboxKey,
  report: ReportFinding,
): Promise<Verified & { snapshots: number }> => {
  const sum = { snapshots: 0, packs: 0, items: 0, bytes: 0 };
  await verifyHead(blobs, mailboxKey, report);
  for (const snapshot of await keptSnapshots(blobs, mailboxKey)) {
    const { packs, items, bytes } = await verifySnapshot(blobs, snapshot, { report });
    sum.snapshots += 1;
    sum.packs += packs;
    sum.items += items;
    sum.bytes += bytes;
  }
  return sum;
};
