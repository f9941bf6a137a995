import { randomUUID } from "node:crypto";
import { runId } from "../../shared/contracts/ids.ts";
import { type Blobs, jsonBytes } from "../../shared/storage/blobs.ts";
import type { VaultDamageError } from "../../shared/vault/damage.ts";
import { findingList } from "../../shared/vault/finding.ts";
import { parseVaultName } from "../../shared/vault/names.ts";
import { listSnapshots } from "../../shared/vault/snapshots.ts";
import { verifyPack } from "../../shared/vault/verify-pack.ts";
import { reviewDamage } from "./review-damage.ts";
import { noteDamage } from "./verification-state.ts";

const PREFIX = "damaged/";

/**
 * Notes a damaged pack that a reader met, in the scratch data: readers' identities may not write what the app knows of
 * a mailbox.
 */
export const noteMetDamage = async (work: Blobs, { blob }: VaultDamageError): Promise<void> => {
  if (parseVaultName(blob)?.kind === "pack") await work.create(`${PREFIX}${blob}`, jsonBytes(null));
};

/**
 * Verifies the packs that readers noted, and adds what is damaged to what is known of their mailboxes, so that the next
 * backup mends it. Without notes, that is one listing.
 */
export const collectMetDamage = async (deps: {
  readonly vault: Blobs;
  readonly work: Blobs;
  readonly state: Blobs;
}): Promise<void> => {
  const notes: string[] = [];
  for await (const { name } of deps.work.list(PREFIX)) notes.push(name);
  for (const note of notes) {
    await collectOne(deps, note.slice(PREFIX.length));
    await deps.work.remove(note);
  }
};

const collectOne = async (
  { vault, state }: { readonly vault: Blobs; readonly state: Blobs },
  pack: string,
): Promise<void> => {
  const parsed = parseVaultName(pack);
  if (parsed?.kind !== "pack") return;
  const { mailboxKey, snapshotId } = parsed;
  const list = findingList();
  const bytes = await verifyPack(vault, pack, [], list.report);
  if (bytes === undefined) list.report({ blob: pack, problem: "is missing" });
  if (list.count === 0) return;

  // A verification finds it with the first kept snapshot that is not older than the pack.
  for await (const piece of listSnapshots(vault, mailboxKey)) {
    if (piece < snapshotId) continue;
    const now = new Date();
    await noteDamage(state, mailboxKey, list.findings, { piece, run: runId(now, randomUUID()), at: now.toISOString() });
    return reviewDamage({ vault, state }, mailboxKey);
  }
};
