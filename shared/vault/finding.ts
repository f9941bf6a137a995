import * as z from "zod";
import { VaultDamageError } from "./damage.ts";

/** Something that is not as it was written: its blob, perhaps its item, and the problem. */
export const Finding = z.object({ blob: z.string(), item: z.string().optional(), problem: z.string() });
export type Finding = z.output<typeof Finding>;

export type ReportFinding = (finding: Finding) => void;

/** Does work on the vault, and returns its result. Damage that it meets is reported, and `undefined` is returned. */
export const reportDamage = async <T>(report: ReportFinding, work: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof VaultDamageError)) throw error;
    const { blob, itemId, problem } = error;
    report({ blob, ...(itemId === undefined ? {} : { item: itemId }), problem });
    return undefined;
  }
};

/** For damage that is reported elsewhere. */
export const ignoreFinding: ReportFinding = () => undefined;

/** Most findings in a list; further ones are only counted. */
export const MAX_FINDINGS = 1_000;

export interface FindingList {
  readonly report: ReportFinding;
  /** The number of all findings, also of those that are not in the list. */
  readonly count: number;
  readonly findings: readonly Finding[];
}

/** Collects findings; a repeated finding in the list counts once. */
export const findingList = (): FindingList => {
  const listed = new Map<string, Finding>();
  let unlisted = 0;
  return {
    report: (finding) => {
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
