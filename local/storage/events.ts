import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import { ACCOUNT_NAME } from "./account.ts";
import type { Operation } from "./operation.ts";
import { EventType, type Subscription } from "./options.ts";

/** An event before it takes the shape of a subscription's schema. */
export const BlobEvent = z.object({
  id: z.uuid(),
  type: EventType,
  subject: z.string(),
  time: z.iso.datetime(),
  data: z.record(z.string(), z.unknown()),
});
export type BlobEvent = z.infer<typeof BlobEvent>;

/** What an event says of a blob's content. */
export interface BlobFacts {
  readonly contentLength: number;
  readonly contentType: string;
  readonly blobType: string;
}

/** One successful exchange between a client and the storage. */
export interface Exchange {
  readonly operation: Operation;
  readonly requestHeaders: IncomingHttpHeaders;
  readonly responseHeaders: IncomingHttpHeaders;
}

const TOPIC =
  "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/local/providers/Microsoft.Storage/" +
  `storageAccounts/${ACCOUNT_NAME}`;

/** Operations that replace a blob's content as a whole. Appending to a blob or staging a block raises nothing. */
const CREATING = new Set(["PutBlob", "PutBlockList", "CopyBlob"]);

/**
 * The type of event this exchange raises in Azure, if any. Source: "Azure Blob Storage as an Event Grid source"
 * (Learn).
 */
export const eventTypeOf = ({ name, ofSnapshot }: Operation): EventType | undefined => {
  if (CREATING.has(name)) return "Microsoft.Storage.BlobCreated";
  if (name === "DeleteBlob" && !ofSnapshot) return "Microsoft.Storage.BlobDeleted";
  return undefined;
};

export const subjectOf = ({ container, blob }: Operation): string =>
  `/blobServices/default/containers/${container}/blobs/${blob}`;

export const isWanted = (subscription: Subscription, type: EventType, subject: string): boolean =>
  (subscription.includedEventTypes ?? [type]).includes(type) &&
  subject.startsWith(subscription.subjectBeginsWith ?? "") &&
  subject.endsWith(subscription.subjectEndsWith ?? "");

/** What a PutBlob request says of its blob; undefined for operations that do not carry the content. */
export const factsOfRequest = ({ operation, requestHeaders: headers }: Exchange): BlobFacts | undefined => {
  if (operation.name !== "PutBlob" || headers["x-ms-copy-source"] !== undefined) return undefined;
  const blobType = String(headers["x-ms-blob-type"]);
  const length = blobType === "PageBlob" ? headers["x-ms-blob-content-length"] : headers["content-length"];
  const contentType = headers["x-ms-blob-content-type"] ?? headers["content-type"] ?? "application/octet-stream";
  return { contentLength: Number(length ?? 0), contentType: String(contentType), blobType };
};

/**
 * Makes events for the blobs below `blobEndpoint`. Sequencers grow as strings, also across restarts.
 * The blob's URL comes without a query, so that no SAS gets into an event.
 */
export const createEventFactory = (blobEndpoint: () => string) => {
  const start = Date.now().toString(16).padStart(16, "0");
  let count = 0;
  return ({ operation, requestHeaders, responseHeaders }: Exchange, type: EventType, facts: BlobFacts): BlobEvent => {
    count += 1;
    const path = operation.blob.split("/").map(encodeURIComponent).join("/");
    const url = `${blobEndpoint()}/${operation.container}/${path}`;
    const created = { eTag: unquoted(responseHeaders["etag"]), contentLength: facts.contentLength };
    return {
      id: randomUUID(),
      type,
      subject: subjectOf(operation),
      time: new Date().toISOString(),
      data: {
        api: operation.name,
        clientRequestId: String(requestHeaders["x-ms-client-request-id"] ?? ""),
        requestId: String(responseHeaders["x-ms-request-id"] ?? ""),
        ...(type === "Microsoft.Storage.BlobCreated" ? created : {}),
        contentType: facts.contentType,
        blobType: facts.blobType,
        url,
        sequencer: `${start}${count.toString(16).padStart(32, "0")}`,
        storageDiagnostics: { batchId: randomUUID() },
      },
    };
  };
};

const unquoted = (etag: string | undefined): string => (etag ?? "").replaceAll('"', "");

/** The body Event Grid posts: one event of the CloudEvents schema, or an array of one of its own schema. */
export const serialise = (event: BlobEvent, schema: Subscription["schema"]): { contentType: string; body: string } => {
  const { id, type, subject, time, data } = event;
  if (schema === "cloud") {
    return {
      contentType: "application/cloudevents+json; charset=utf-8",
      body: JSON.stringify({ specversion: "1.0", id, source: TOPIC, type, subject, time, data }),
    };
  }
  const own = {
    id,
    topic: TOPIC,
    subject,
    eventType: type,
    eventTime: time,
    data,
    dataVersion: "",
    metadataVersion: "1",
  };
  return { contentType: "application/json; charset=utf-8", body: JSON.stringify([own]) };
};
