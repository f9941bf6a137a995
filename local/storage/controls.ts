import type { Counts } from "./counters.ts";
import type { DeadLetter } from "./delivery.ts";
import type { DeliveryQuirks, EventsOptions, Fault, ParsedFault } from "./options.ts";

/** What a test or an operator can ask of the storage while it runs. */
export interface StorageControls {
  counts(): Counts;
  resetCounts(): void;
  /** Arms a fault; several may be armed, and the first that matches a request fires. @throws {ZodError} */
  addFault(fault: Fault): void;
  clearFaults(): void;
  faults(): readonly ParsedFault[];
  /**
   * Replaces all subscriptions; pending events stay only for functions that are still subscribed. @throws {ZodError}
   */
  setSubscriptions(events: EventsOptions): Promise<void>;
  /** Switches duplicate and late deliveries on or off; what is left out is off. @throws {ZodError} */
  setDelivery(quirks: Partial<DeliveryQuirks>): void;
  /** What was given up since the subscriptions were last set. */
  deadLetters(): readonly DeadLetter[];
  pendingEvents(): number;
}
