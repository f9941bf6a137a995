import type { ListedRestore, RestoreOutcomes } from "../../../functions/restore/restore-list.contract.ts";
import { NO_ITEMS } from "../../../functions/restore/restored-items.steps.ts";
import { mailboxKey } from "../../../shared/vault/mailbox-key.ts";

export const aListId = "20261122T090000Z-abc234";

/** The nth restore of a list, of the nth mailbox. */
export const aListed = (n: number, overrides: Partial<ListedRestore> = {}): ListedRestore => ({
  restoreId: `20261122T09000${n}Z-abc234`,
  mailbox: { key: mailboxKey(`MBX:${n}`), id: `MBX:${n}`, kind: "primary", userId: `user-${n}` },
  snapshotId: "20261121T010000Z-abc234",
  select: { all: true },
  target: "original",
  dryRun: false,
  ...overrides,
});

export const NONE: RestoreOutcomes = { complete: 0, partial: 0, failed: 0, failures: [], items: NO_ITEMS };

/** The output of a restore of one mailbox. */
export const aResult = (overrides: Record<string, number> = {}) => ({
  imported: 5,
  replaced: 0,
  present: 2,
  ambiguous: 0,
  failed: 0,
  missing: 0,
  bytes: 50,
  ...overrides,
});

/** The output of its dry run. */
export const aPlan = {
  items: 7,
  present: 2,
  bytes: 70,
  chunks: 1,
  folders: 1,
  foldersToCreate: 0,
  laneBudgetMs: 60_000,
};
