import type { RunId } from "../../../shared/contracts/ids.ts";

/** What a sealed import URL is bound to: it opens in the restore that it was made for only. */
export const sessionPurpose = (restoreId: RunId): string => `the import session of restore ${restoreId}`;
