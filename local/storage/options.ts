import { z } from "zod";

export const EventType = z.enum(["Microsoft.Storage.BlobCreated", "Microsoft.Storage.BlobDeleted"]);
export type EventType = z.infer<typeof EventType>;

/** An Event Grid subscription whose endpoint is a function of the host; without a filter it gets every event. */
export const Subscription = z.strictObject({
  functionName: z.string().min(1),
  includedEventTypes: z.array(EventType).optional(),
  subjectBeginsWith: z.string().optional(),
  subjectEndsWith: z.string().optional(),
  schema: z.enum(["cloud", "eventGrid"]).default("cloud"),
});
export type Subscription = z.infer<typeof Subscription>;

export const EventsOptions = z.strictObject({
  /** Where the Functions host listens. */
  hostUrl: z.url(),
  /** What the host's webhooks ask for, where it does. */
  hostKey: z.string().optional(),
  subscriptions: z.array(Subscription),
  /** Waits between attempts, in ms; the last one repeats until `maxAttempts`. */
  retryDelaysMs: z.array(z.int().positive()).min(1).optional(),
  maxAttempts: z.int().positive().optional(),
});
export type EventsOptions = z.input<typeof EventsOptions>;

export interface StorageOptions {
  /** Where the blobs live; a later start with the same directory finds them again. */
  readonly dir: string;
  readonly port?: number | undefined;
  /** Blobs end with this process, and cost half the processor time. */
  readonly inMemory?: boolean;
  readonly events?: EventsOptions | undefined;
}

/** What Event Grid allows itself: delivering an event twice, and a later one before an earlier one. */
export const DeliveryQuirks = z.strictObject({
  duplicates: z.boolean().default(false),
  reordering: z.boolean().default(false),
});
export type DeliveryQuirks = z.infer<typeof DeliveryQuirks>;

const RegexSource = z.string().refine((source) => {
  try {
    return new RegExp(source) instanceof RegExp;
  } catch {
    return false;
  }
}, "must be a regular expression");

/**
 * A failure to inject: which requests (`operation` and `path` are regular expressions, `path` without account and
 * query), how many of them (`count`) or which share (`rate`), and what happens.
 */
export const Fault = z.strictObject({
  operation: RegexSource.optional(),
  path: RegexSource.optional(),
  count: z.int().positive().optional(),
  rate: z.number().positive().max(1).default(1),
  delayMs: z.int().nonnegative().default(0),
  /** An HTTP status, a connection reset, or (with `delayMs` alone) the true answer. */
  answer: z.union([z.int().min(400).max(599), z.literal("reset"), z.literal("true")]).default("true"),
  /** Whether the request reaches the storage before it fails. */
  when: z.enum(["before", "after"]).default("before"),
});
export type Fault = z.input<typeof Fault>;
export type ParsedFault = z.output<typeof Fault>;

/** What is wrong with an input, on one line. */
export const explain = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
