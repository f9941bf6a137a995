import * as z from "zod";

/** An event, read from either of the two schemas. */
export interface GridEvent {
  /** The same in every delivery of one event. */
  readonly id: string;
  readonly type: string;
  /** What raised it: the resource id of a storage account, or Microsoft Graph's name of a tenant. */
  readonly source: string;
  readonly subject: string;
  readonly time: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const Data = z.record(z.string(), z.unknown()).nullish();

/** Source: github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md (read 2026-11). */
const CloudEvent = z
  .looseObject({
    specversion: z.literal("1.0"),
    id: z.string().min(1),
    type: z.string().min(1),
    source: z.string().min(1),
    subject: z.string().optional(),
    time: z.iso.datetime({ offset: true }).optional(),
    data: Data,
  })
  .transform(
    ({ id, type, source, subject = "", time = "", data }): GridEvent => ({
      id,
      type,
      source,
      subject,
      time,
      data: data ?? {},
    }),
  );

/** Source: learn.microsoft.com/azure/event-grid/event-schema (read 2026-11). */
const EventGridEvent = z
  .looseObject({
    id: z.string().min(1),
    eventType: z.string().min(1),
    topic: z.string().min(1),
    subject: z.string(),
    eventTime: z.iso.datetime({ offset: true }),
    data: Data,
  })
  .transform(
    ({ id, eventType, topic, subject, eventTime, data }): GridEvent => ({
      id,
      type: eventType,
      source: topic,
      subject,
      time: eventTime,
      data: data ?? {},
    }),
  );

const AnyEvent = z.union([CloudEvent, EventGridEvent]);

/**
 * Reads an event of the CloudEvents 1.0 or the Event Grid schema; `undefined` for anything else: no retry cures that.
 */
export const readGridEvent = (event: unknown): GridEvent | undefined => AnyEvent.safeParse(event).data;

/** The blob that a storage event is about, by its subject alone: the URL in an event is not trusted. */
export const blobOf = ({ subject }: GridEvent): { container: string; name: string } | undefined => {
  const [, container, name] =
    /^\/blobServices\/default\/containers\/([a-z0-9-]{3,63})\/blobs\/(.+)$/.exec(subject) ?? [];
  return container === undefined || name === undefined ? undefined : { container, name };
};

const GUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const ENTRA = new RegExp(`^/tenants/${GUID}/applications/${GUID}$`, "i");
const USER = new RegExp(`^/?users/(${GUID})$`, "i");

/**
 * The directory object id of the user that an event of Microsoft Graph is about, by its source and subject alone.
 * Source: learn.microsoft.com/azure/event-grid/microsoft-entra-events (read 2026-11).
 */
export const userOf = ({ source, subject }: GridEvent): string | undefined =>
  ENTRA.test(source) ? USER.exec(subject)?.[1]?.toLowerCase() : undefined;
