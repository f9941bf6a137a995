import { BlobServiceClient, RestError } from "@azure/storage-blob";
import { connectionString } from "./account.ts";
import { createDelivery, type DeadLetter, type Delivery } from "./delivery.ts";
import {
  type BlobFacts,
  createEventFactory,
  type Exchange,
  eventTypeOf,
  factsOfRequest,
  isWanted,
  subjectOf,
} from "./events.ts";
import type { Journal } from "./journal.ts";
import { DeliveryQuirks, EventsOptions, type EventType, type Subscription } from "./options.ts";

/** The Event Grid of the local stack: turns exchanges into events and sees them delivered. */
export interface Notifier {
  observe(exchange: Exchange): void;
  /**
   * Replaces all subscriptions. Deliveries under way, now or when an earlier process ended, start again for functions
   * that are still subscribed and are dropped for others.
   * @throws {ZodError}
   */
  subscribe(options: EventsOptions): Promise<void>;
  /** @throws {ZodError} */
  setQuirks(quirks: Partial<DeliveryQuirks>): void;
  readonly deadLetters: readonly DeadLetter[];
  readonly pending: number;
  stop(): Promise<void>;
}

const UNKNOWN: BlobFacts = { contentLength: 0, contentType: "application/octet-stream", blobType: "BlockBlob" };

interface NotifierParts {
  /** Where the storage itself listens: questions about blobs do not pass the gateway and are not counted. */
  readonly storageUrl: string;
  readonly journal: Journal;
  /** What clients call the account, for the URLs in events. */
  readonly blobEndpoint: () => string;
}

export const createNotifier = ({ storageUrl, blobEndpoint, journal }: NotifierParts): Notifier => {
  const service = BlobServiceClient.fromConnectionString(connectionString(storageUrl));
  const eventOf = createEventFactory(blobEndpoint);
  let quirks = DeliveryQuirks.parse({});
  let subscriptions: readonly Subscription[] = [];
  let delivery: Delivery | undefined;
  const announcing = new Set<Promise<void>>();

  /** A blob that is gone by now is still announced: its creation happened. */
  const lookUp = async ({ operation: { container, blob } }: Exchange): Promise<BlobFacts> => {
    try {
      const found = await service.getContainerClient(container).getBlobClient(blob).getProperties();
      return {
        contentLength: found.contentLength ?? 0,
        contentType: found.contentType ?? UNKNOWN.contentType,
        blobType: found.blobType ?? UNKNOWN.blobType,
      };
    } catch (error) {
      if (error instanceof RestError && error.statusCode === 404) return UNKNOWN;
      throw error;
    }
  };

  const announce = async (exchange: Exchange, type: EventType, recipients: readonly Subscription[]): Promise<void> => {
    const isDeletion = type === "Microsoft.Storage.BlobDeleted";
    const facts = isDeletion ? UNKNOWN : (factsOfRequest(exchange) ?? (await lookUp(exchange)));
    const event = eventOf(exchange, type, facts);
    for (const subscription of recipients) delivery?.deliver(event, subscription);
  };

  const resume = (next: Delivery): void => {
    for (const entry of journal.entries()) {
      const { type, subject } = entry.event;
      const recipient = subscriptions.find(
        (candidate) => candidate.functionName === entry.functionName && isWanted(candidate, type, subject),
      );
      if (recipient === undefined) journal.add(entry)();
      else next.deliver(entry.event, recipient);
    }
  };

  return {
    observe: (exchange) => {
      const type = eventTypeOf(exchange.operation);
      if (type === undefined) return;
      const subject = subjectOf(exchange.operation);
      const recipients = subscriptions.filter((subscription) => isWanted(subscription, type, subject));
      if (recipients.length === 0) return;
      const announced = announce(exchange, type, recipients).finally(() => announcing.delete(announced));
      announcing.add(announced);
    },
    subscribe: async (input) => {
      const options = EventsOptions.parse(input);
      await delivery?.stop();
      delivery = createDelivery({ ...options, journal });
      delivery.setQuirks(quirks);
      subscriptions = options.subscriptions;
      resume(delivery);
    },
    setQuirks: (input) => {
      quirks = DeliveryQuirks.parse(input);
      delivery?.setQuirks(quirks);
    },
    get deadLetters() {
      return delivery?.deadLetters ?? [];
    },
    get pending() {
      return announcing.size + (delivery?.pending ?? 0);
    },
    stop: async () => {
      await Promise.all(announcing);
      await delivery?.stop();
    },
  };
};
