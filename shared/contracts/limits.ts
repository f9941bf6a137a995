/** Most item ids in one exportItems request. Source: learn.microsoft.com/graph/api/mailbox-exportitems (2026-02). */
export const EXPORT_ITEMS_LIMIT = 20;

/**
 * Most ids in one translateExchangeIds request. Source: learn.microsoft.com/graph/api/user-translateexchangeids
 * (2026-08).
 */
export const TRANSLATE_IDS_LIMIT = 1_000;

/**
 * Concurrent requests for an app and mailbox. Source: learn.microsoft.com/graph/throttling-limits, "Outlook service"
 * (2026-08). The page does not name the import/export API; 429 answers there have been observed.
 */
export const MAILBOX_SLOTS = 4;

/** Most bytes of a batch by the sizes in the listing, since `size` is known to be too low. Our own choice. */
export const BATCH_ANNOUNCED_BYTES = 24 * 1024 * 1024;

/** Batches in a chunk: 25 x 20 = 500 items, one delta page's worth. Our own choice. */
export const CHUNK_BATCHES = 25;

/** Items in one page. `$top=999` has been observed to work; the documentation names no maximum. */
export const PAGE_ITEMS = 500;

/** Requests to one mailbox in a window. Source: as for the slots. */
export const MAILBOX_REQUESTS = { most: 10_000, windowMs: 600_000 };

/**
 * Bytes of request bodies to one mailbox in a window. 429 answers show that imports count. Source: as for the slots.
 */
export const MAILBOX_UPLOAD_BYTES = { most: 150_000_000, windowMs: 300_000 };
