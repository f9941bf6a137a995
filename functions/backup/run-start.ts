import { type MailboxKey, type RunId, runIdAfter } from "../../shared/contracts/ids.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { VaultDamageError } from "../../shared/vault/damage.ts";
import { parseVaultName } from "../../shared/vault/names.ts";
import { findNewest, type Newest } from "../../shared/vault/newest.ts";
import { openDamage } from "../verify/review-damage.ts";
import type { RunState } from "./run-state.ts";

/** What a run begins with, the last id of a snapshot, and the damage that made it begin so. */
type RunStart = Pick<RunState, "parent" | "before" | "damagedPacks" | "renamed"> &
  Pick<Newest, "lastId"> & { readonly damage?: string };

/**
 * A run follows the newest snapshot that has a whole manifest, and stores again what lies in packs that are known to be
 * damaged. It stores everything anew when it is to start over, and where its catalogue is known to be damaged, or more
 * blobs than are known by name.
 *
 * Its id sorts after those of all snapshots. One whose id does not, since a clock was ahead, gets another.
 */
export const startOf = async (
  { vault, state }: { readonly vault: Blobs; readonly state: Blobs },
  { key, runId, startOver }: { readonly key: MailboxKey; readonly runId: RunId; readonly startOver: boolean },
): Promise<RunStart> => {
  const { whole, damage: lost, lastId } = await findNewest(vault, key);
  const id = lastId === undefined ? runId : runIdAfter(runId, lastId);
  const ids = { lastId, ...(id === runId ? {} : { renamed: id }) };
  if (whole === undefined) return { parent: null, ...ids, ...(lost && { damage: lost.message }) };

  const pin = { id: whole.manifest.id, sha256: whole.sha256 };
  const damage = lost && { damage: `${lost.message}; the run follows ${pin.id}` };
  if (startOver) return { parent: null, before: pin, ...ids, ...damage };

  const { packs: damagedPacks, catalogue, isWhole } = await openDamage({ vault, state }, key);
  const anew = catalogue ?? (isWhole ? undefined : "it has more damage than its findings name");
  if (anew !== undefined) return { parent: null, before: pin, ...ids, damage: anew };
  return { parent: pin, ...(damagedPacks.length === 0 ? {} : { damagedPacks }), ...ids, ...damage };
};

/**
 * The damage that keeps a run from following its snapshot; rethrown when it is none, or when the run follows no
 * snapshot, so that to start over would not help.
 */
export const damageBehind = ({ parent }: Pick<RunState, "parent">, error: unknown): { readonly damage: string } => {
  const isCatalogue = error instanceof VaultDamageError && parseVaultName(error.blob)?.kind !== "pack";
  if (parent === null || !isCatalogue) throw error;
  return { damage: error.message };
};
