import type { EventGridHandler } from "@azure/functions";
import { followUpInstance } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { startUnlessKnown } from "../../shared/durable/start-once.ts";
import { blobOf, type GridEvent, readGridEvent } from "../../shared/events/grid-event.ts";
import type { Blobs } from "../../shared/storage/blobs.ts";
import { parseVaultName, type VaultName } from "../../shared/vault/names.ts";
import type { FollowUpInput } from "./follow-up.contract.ts";

/** Source: learn.microsoft.com/azure/event-grid/event-schema-blob-storage (read 2026-11). */
const BLOB_CREATED = "Microsoft.Storage.BlobCreated";

/**
 * Event Grid: a snapshot was written. Starts its follow-up, once for each snapshot, however often and in whichever
 * order its events come: the snapshot names the instance, and one that has ended is not started again.
 *
 * Only the subject of an event is trusted, and only if it names a manifest in the vault. An event that no retry cures
 * is logged and acknowledged; other failures are thrown, and Event Grid delivers again.
 */
export const snapshotWritten =
  (deps: {
    readonly clientOf: ClientOf;
    readonly vault: Blobs;
    /** The only trusted source; `undefined`: every source that is subscribed to. */
    readonly source: string | undefined;
  }): EventGridHandler<unknown> =>
  async (raw, context) => {
    const event = readGridEvent(raw);
    if (event === undefined) return context.warn("An event of an unknown schema is ignored.");
    if (event.type !== BLOB_CREATED) return context.debug("An event of another type is ignored.");
    if (!isFrom(event, deps.source)) return context.warn("An event of another source is ignored.");
    const manifest = manifestOf(event);
    if (manifest === undefined) return context.warn("An event whose subject is not a manifest is ignored.");

    const { mailboxKey, snapshotId } = manifest;
    const instanceId = followUpInstance(mailboxKey, snapshotId);
    if ((await deps.vault.info(manifest.name)) === undefined)
      return context.warn("An event of a snapshot that is not in the vault is ignored.");
    const input: FollowUpInput = { mailboxKey, snapshotId };
    const outcome = await startUnlessKnown(deps.clientOf(context), "follow-up-snapshot", { instanceId, input });
    if (outcome === "known") context.debug(`${instanceId} was started before.`);
  };

/** Resource ids are compared without regard to case. */
const isFrom = ({ source }: GridEvent, wanted: string | undefined): boolean =>
  wanted === undefined || source.toLowerCase() === wanted.toLowerCase();

const manifestOf = (event: GridEvent): (Extract<VaultName, { kind: "manifest" }> & { name: string }) | undefined => {
  const blob = blobOf(event);
  const parsed = blob?.container === "vault" ? parseVaultName(blob.name) : undefined;
  return blob !== undefined && parsed?.kind === "manifest" ? { ...parsed, name: blob.name } : undefined;
};
