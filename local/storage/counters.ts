import type { Operation, OperationKind } from "./operation.ts";

/** What has passed through the gateway since it started or was reset. Bytes are bodies only. */
export interface Counts {
  readonly kinds: Readonly<Record<OperationKind, number>>;
  readonly operations: Readonly<Record<string, number>>;
  /** Requests answered with 400 or above, by status. */
  readonly failures: Readonly<Record<string, number>>;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface Counters {
  /** Adds a request once its answer is known; `status` is absent when the connection was reset instead. */
  request(operation: Operation, status: number | undefined): void;
  received(bytes: number): void;
  sent(bytes: number): void;
  read(): Counts;
  reset(): void;
}

const nothing = () => ({
  kinds: { write: 0, read: 0, list: 0, delete: 0, other: 0 },
  operations: {} as Record<string, number>,
  failures: {} as Record<string, number>,
  bytesIn: 0,
  bytesOut: 0,
});

export const createCounters = (): Counters => {
  let counts = nothing();
  const increment = (group: Record<string, number>, key: string) => {
    group[key] = (group[key] ?? 0) + 1;
  };
  return {
    request: (operation, status) => {
      increment(counts.kinds, operation.kind);
      increment(counts.operations, operation.name);
      if (status === undefined || status >= 400) increment(counts.failures, String(status ?? "reset"));
    },
    received: (bytes) => {
      counts.bytesIn += bytes;
    },
    sent: (bytes) => {
      counts.bytesOut += bytes;
    },
    read: () => structuredClone(counts),
    reset: () => {
      counts = nothing();
    },
  };
};
