import type { Blobs } from "../../shared/storage/blobs.ts";

/** The process dies at a write, before or after it has taken effect. */
export class DiedError extends Error {
  override readonly name = "DiedError";
}

/** A death at the nth write of all, counted from 1. */
export interface Death {
  readonly write: number;
  readonly after: boolean;
}

/** Wraps containers of one process, which dies at the given writes of all of them together. */
export const mortalBlobs = (deaths: readonly Death[]): ((blobs: Blobs) => Blobs) => {
  let writes = 0;
  const write = async <T>(act: () => Promise<T>): Promise<T> => {
    writes += 1;
    const number = writes;
    const death = deaths.find((one) => one.write === number);
    if (death?.after === false) throw new DiedError(`died before write ${number}`);
    const result = await act();
    if (death?.after === true) throw new DiedError(`died after write ${number}`);
    return result;
  };
  return (blobs) => ({
    ...blobs,
    create: (...args) => write(() => blobs.create(...args)),
    stage: (...args) => write(() => blobs.stage(...args)),
    commit: (...args) => write(() => blobs.commit(...args)),
    replace: (...args) => write(() => blobs.replace(...args)),
  });
};
