import type { MailboxKey } from "../../shared/contracts/ids.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { VaultDamageError } from "../../shared/vault/damage.ts";
import { foldSnapshot } from "../../shared/vault/fold.ts";
import { baseName, headName, manifestName, parseVaultName } from "../../shared/vault/names.ts";
import { readHead, walkToBase } from "../../shared/vault/snapshots.ts";
import {
  markSuperseded,
  type OpenDamage,
  openDamageOf,
  openProblemsOf,
  readVerification,
} from "./verification-state.ts";

/**
 * Notes which known damage of a mailbox its newest snapshot does not meet: what the blob held was stored again, or is
 * gone from the mailbox. Older snapshots still meet it. Without known damage, that is one read.
 */
export const reviewDamage = async (
  { vault, state }: { readonly vault: Blobs; readonly state: Blobs },
  mailbox: MailboxKey,
): Promise<void> => {
  const known = await readVerification(state, mailbox);
  if (known === undefined || known.damaged.length === 0) return;
  const needs = await needsOfNewest(vault, mailbox, new Set(known.findings.map(({ blob }) => blob)));
  if (needs === undefined) return;
  await markSuperseded(state, mailbox, {
    blob: (name) => name !== headName(mailbox) && needs.spared.has(name),
    piece: (piece) => piece !== "head" && piece < needs.oldestRun,
  });
};

/** The known damage that the newest snapshot meets now. Without any, that is one read. */
export const openDamage = async (
  deps: { readonly vault: Blobs; readonly state: Blobs },
  mailbox: MailboxKey,
): Promise<OpenDamage> => {
  const known = await readVerification(deps.state, mailbox);
  if (known === undefined || openProblemsOf(known) === 0) return { packs: [], isWhole: true };
  await reviewDamage(deps, mailbox);
  return openDamageOf((await readVerification(deps.state, mailbox)) ?? known);
};

/**
 * Which of some blobs a reader of the newest snapshot is spared, and the oldest run of which it needs anything;
 * `undefined` when the newest snapshot cannot be read, since all may be needed.
 */
const needsOfNewest = async (
  vault: Blobs,
  mailbox: MailboxKey,
  names: ReadonlySet<string>,
): Promise<{ readonly spared: ReadonlySet<string>; readonly oldestRun: string } | undefined> => {
  const spared = new Set(names);
  let oldestRun: string | undefined;
  const need = (name: string): void => {
    spared.delete(name);
    const parsed = parseVaultName(name);
    if (parsed === undefined || parsed.kind === "head") return;
    if (oldestRun === undefined || parsed.snapshotId < oldestRun) oldestRun = parsed.snapshotId;
  };
  try {
    const newest = (await readHead(vault, mailbox))?.newest;
    if (!newest) return undefined;
    for await (const { manifest, base, parts } of walkToBase(vault, mailbox, newest.id)) {
      need(manifestName(mailbox, manifest.id));
      if (base !== undefined) need(baseName(mailbox, manifest.id));
      for (const { name } of parts) need(name);
    }
    for await (const { pack } of foldSnapshot(vault, mailbox, newest.id)) need(pack);
    return { spared, oldestRun: oldestRun ?? "" };
  } catch (error) {
    if (!(error instanceof VaultDamageError)) throw error;
    return undefined;
  }
};
