import * as z from "zod";
import { VaultDamageError } from "./damage.ts";

/** Something that is not as it was written: in which blob, perhaps of which item, and what is wrong. */
export const Finding = z.object({ blob: z.string(), item: z.string().optional(), problem: z.string() });
export type Finding = z.output<typeof Finding>;

export type Found = (finding: Finding) => void;

/** Does work on the vault; damage that it meets is reported, and the work then yields `undefined`. */
export const reporting = async <T>(found: Found, work: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof VaultDamageError)) throw error;
    const { blob, itemId, problem } = error;
    found({ blob, ...(itemId === undefined ? {} : { item: itemId }), problem });
    return undefined;
  }
};

/** For damage that is reported where it belongs. */
export const silent: Found = () => undefined;

/** Findings in a list are so many at most; the others are only counted. */
export const MAX_FINDINGS = 1_000;

export interface FindingList {
  readonly found: Found;
  /** How many there are, also those that the list has no room for. */
  readonly count: number;
  readonly findings: readonly Finding[];
}

/** Collects findings; one that comes again is the same one. */
export const findingList = (): FindingList => {
  const listed = new Map<string, Finding>();
  let unlisted = 0;
  return {
    found: (finding) => {
      const key = JSON.stringify(finding);
      if (listed.has(key)) return;
      if (listed.size < MAX_FINDINGS) listed.set(key, finding);
      else unlisted += 1;
    },
    get count() {
      return listed.size + unlisted;
    },
    get findings() {
      return [...listed.values()];
    },
  };
};
