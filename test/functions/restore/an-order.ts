import type { RestoreMailboxInput } from "../../../functions/restore/restore.contract.ts";
import { aKey } from "../../shared/vault/samples.ts";
import { aRestoreId } from "../kit.ts";

/** What the job of a restore of a whole mailbox is given. */
export const anOrder = {
  restoreId: aRestoreId,
  mailbox: { key: aKey, id: "MBX:ada@contoso", kind: "primary", userId: "ada" },
  snapshotId: "20261121T010000Z-abc234",
  select: { all: true },
  target: "new-folder",
  dryRun: false,
} as const satisfies RestoreMailboxInput;
