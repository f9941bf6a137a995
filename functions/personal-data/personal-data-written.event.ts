import type { EventGridHandler } from "@azure/functions";
import { personalDataInstance } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { findInstance, isAlive } from "../../shared/durable/start-once.ts";
import { blobOf, readGridEvent } from "../../shared/events/grid-event.ts";
import { exportIdOf, OWN_PREFIX, REQUEST_INFO } from "./package-names.ts";
import { PERSONAL_DATA_WRITTEN } from "./personal-data.contract.ts";

/**
 * A file was written into the package of an export: the job that waits for it looks at once. What it looks at is Graph's
 * word, so an event that is early, doubled, or made up changes no more than when. Throws, and so has the event delivered
 * again, only when the task hub cannot be asked.
 */
export const personalDataWritten =
  (deps: {
    readonly clientOf: ClientOf;
    /** The only source to believe; `undefined`: whichever is subscribed to. */
    readonly source: string | undefined;
  }): EventGridHandler =>
  async (raw, context) => {
    const event = readGridEvent(raw);
    if (event === undefined) return context.warn("An event is of neither schema; it is left out.");
    // Resource ids are compared without regard to case.
    if (deps.source !== undefined && deps.source.toLowerCase() !== event.source.toLowerCase())
      return context.warn("An event of another source is left out.");
    const blob = blobOf(event);
    const exportId = blob && exportIdOf(blob.container);
    if (event.type !== "Microsoft.Storage.BlobCreated" || blob === undefined || exportId === undefined) return;
    if (blob.name === REQUEST_INFO || blob.name.startsWith(OWN_PREFIX)) return;

    const client = deps.clientOf(context);
    const job = personalDataInstance(exportId);
    if (isAlive(await findInstance(client, job))) await client.raiseEvent(job, PERSONAL_DATA_WRITTEN, null);
  };
