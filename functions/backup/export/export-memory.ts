import { OutOfTimeError } from "../../../shared/graph/stopped-work.ts";
import type { PlannedItem } from "../run-state.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * What a batch of any size takes: a block of its pack, buffers of an item, and what is read ahead. An estimate:
 * `test/memory` looks at what the process takes in all.
 */
const FULL_BYTES = 12 * MIB;

/** What every batch takes: its connection, parser and hashes. */
const BASE_BYTES = 256 * KIB;

/** A small batch is held so many times over: as it is read, in an item's buffer, deflated, in a block. An estimate. */
const COPIES = 6;

/**
 * Listings announce too little, a quarter at the least that was seen. A batch may bring this many times what they
 * announce before more room is taken for it.
 */
const UNDERSTATED = 4;

/** What all batches of a process take together. Our own choice: it leaves the app within 256 MiB. */
const PROCESS_BYTES = 108 * MIB;

/** Room in memory for one batch. */
export interface Room {
  /** The same content, held back where more of it comes than there is room for. */
  readonly metered: (content: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
  /** To be called once the batch is stored, or has failed. */
  readonly leave: () => void;
}

/** The memory that exports of a process take, of all its mailboxes. */
export interface ExportMemory {
  /**
   * Waits for room for a batch.
   *
   * @throws {OutOfTimeError} when there is none until `beginBy`, in milliseconds since the epoch.
   */
  enter(items: readonly Pick<PlannedItem, "sizeBytes">[], beginBy: number): Promise<Room>;
}

interface Waiter {
  readonly bytes: number;
  readonly go: () => void;
}

/**
 * Bounds what batches hold in memory, and not their number, so that many small ones are under way at once. A batch
 * takes room by the sizes that the listing announced. These may be wrong, and an item's may be unknown: a batch of
 * which more arrives takes the room of the largest one before it reads on, ahead of batches that have not begun. So
 * that they never wait for each other, room for one is kept that only such a batch gets: it needs no more, and ends.
 */
export const exportMemory = (processBytes = PROCESS_BYTES, fullBytes = FULL_BYTES): ExportMemory => {
  let free = processBytes - fullBytes;
  let isReserveFree = true;
  const growing: (Waiter & { readonly goOnReserve: () => void })[] = [];
  const entering: Waiter[] = [];

  const serve = (): void => {
    for (let next = growing[0]; next !== undefined; next = growing[0]) {
      if (free >= next.bytes) {
        free -= next.bytes;
        next.go();
      } else if (isReserveFree) {
        isReserveFree = false;
        next.goOnReserve();
      } else return;
      growing.shift();
    }
    for (let next = entering[0]; next !== undefined && free >= next.bytes; next = entering[0]) {
      free -= next.bytes;
      entering.shift();
      next.go();
    }
  };

  const wait = (bytes: number, beginBy: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const waiter = {
        bytes,
        go: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        entering.splice(entering.indexOf(waiter), 1);
        reject(new OutOfTimeError("There was no room for a batch in time"));
        serve();
      }, beginBy - Date.now());
      entering.push(waiter);
      serve();
    });

  return {
    enter: async (items, beginBy) => {
      const announced = items.reduce((sum, { sizeBytes = Number.POSITIVE_INFINITY }) => sum + sizeBytes, 0);
      let held = Math.min(fullBytes, BASE_BYTES + COPIES * UNDERSTATED * announced);
      let allowed = held === fullBytes ? Number.POSITIVE_INFINITY : UNDERSTATED * announced;
      let isOnReserve = false;
      await wait(held, beginBy);

      const grow = (): Promise<void> =>
        new Promise((resolve) => {
          allowed = Number.POSITIVE_INFINITY;
          growing.push({
            bytes: fullBytes - held,
            go: () => {
              held = fullBytes;
              resolve();
            },
            goOnReserve: () => {
              isOnReserve = true;
              resolve();
            },
          });
          serve();
        });

      return {
        metered: async function* (content) {
          for await (const chunk of content) {
            allowed -= chunk.length;
            if (allowed < 0) await grow();
            yield chunk;
          }
        },
        leave: () => {
          free += held;
          held = 0;
          isReserveFree ||= isOnReserve;
          isOnReserve = false;
          serve();
        },
      };
    },
  };
};
