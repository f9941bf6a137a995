import type { EventGridHandler } from "@azure/functions";
import { personalDataInstance } from "../../shared/contracts/job-ids.ts";
import type { ClientOf } from "../../shared/durable/client.ts";
import { findInstance, isAlive } from "../../shared/durable/start-once.ts";
import { WAKE } from "../../shared/durable/waits.ts";
import { blobOf, readGridEvent } from "../../shared/events/grid-event.ts";
import { exportIdOf, OWN_PREFIX, REQUEST_INFO } from "./package-names.ts";

/**
 * A file was written into the package of an export: the job that waits polls Graph at once. It goes by Graph's answer,
 * so an early, repeated or forged event only changes the time of the poll. Throws, so that the event is delivered
 * again, only when the task hub does not answer.
 */
export const personalDataWritten =
  (deps: {
    readonly clientOf: ClientOf;
    /** The only source to accept; `undefined`: any. */
    readonly source: string | undefined;
  }): EventGridHandler =>
  async (raw, context) => {
    const event = readGridEvent(raw);
    if (event === undefined) return context.warn("Ignored an event that has neither schema.");
    // Resource ids are compared without regard to case.
    if (deps.source !== undefined && deps.source.toLowerCase() !== event.source.toLowerCase())
      return context.warn("Ignored an event of another source.");
    const blob = blobOf(event);
    const exportId = blob && exportIdOf(blob.container);
    if (event.type !== "Microsoft.Storage.BlobCreated" || blob === undefined || exportId === undefined) return;
    if (blob.name === REQUEST_INFO || blob.name.startsWith(OWN_PREFIX)) return;

    const client = deps.clientOf(context);
    const job = personalDataInstance(exportId);
    if (isAlive(await findInstance(client, job))) await client.raiseEvent(job, WAKE, null);
  };
