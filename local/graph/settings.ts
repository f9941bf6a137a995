import { z } from "zod";

/**
 * The limits the emulator enforces per app id and mailbox, all adjustable while it runs.
 *
 * @doc Numbers: Microsoft Graph throttling limits, Outlook service (read 2026-08). @guess That all of them apply to the
 * import and export endpoints, that windows slide, and that a megabyte there is 1,000,000 bytes.
 */
export const Limits = z.strictObject({
  enabled: z.boolean().default(true),
  /** @doc Item ids in one exportItems request. */
  maxExportIds: z.int().positive().default(20),
  /** @doc Requests of one app in flight for one mailbox, each from its arrival until its answer is sent. */
  maxConcurrent: z.int().positive().default(4),
  /** @doc */
  maxRequests: z.int().positive().default(10_000),
  requestWindowMs: z.int().positive().default(600_000),
  /** @doc Upload limit. @observed It counts the JSON bodies posted to an import URL. */
  maxIncomingBytes: z.int().positive().default(150_000_000),
  incomingWindowMs: z.int().positive().default(300_000),
  /** @doc Seconds accompany a 429; @observed absent at times; HTTP allows a date. */
  retryAfter: z.enum(["seconds", "http-date", "absent"]).default("seconds"),
  /** Replaces the computed wait, for instance by a very long one. */
  retryAfterSeconds: z.int().nonnegative().optional(),
  /** @guess A body larger than the whole budget is taken when nothing was uploaded in the window, or never. */
  oversizedImport: z.enum(["when-idle", "refuse"]).default("when-idle"),
  /** @doc Personal-data exports in a day, of one person and of the tenant, and reads of their operations in an hour. */
  maxExportsOfUser: z.int().positive().default(100),
  maxExportsOfTenant: z.int().positive().default(1_000),
  maxOperationReads: z.int().positive().default(10_000),
});
export type Limits = z.infer<typeof Limits>;

/** Switches for what is guessed, disputed or only sometimes seen. */
export const Behaviours = z.strictObject({
  /** @doc sample links page by ten. */
  defaultPageSize: z.int().positive().default(10),
  /** @guess Larger wishes are cut to this. */
  maxPageSize: z.int().positive().default(1000),
  /** @observed `size` tells less than an export holds: exported payload bytes over `size`, drawn per item. */
  sizeFactor: z.strictObject({ min: z.number().positive(), max: z.number().positive() }).default({ min: 1.4, max: 4 }),
  /**
   * @doc The property is in the documentation since 2026-08, but not in the v1.0 schema. Off: no answer shows it, while
   * paths take well-known names as before.
   */
  wellKnownNames: z.boolean().default(true),
  /**
   * @observed Scripts in use name `msgfolderroot` in a path. @guess Off: the names are no more than malformed ids, as
   * @doc in archives.
   */
  wellKnownPaths: z.boolean().default(true),
  /**
   * @doc (2026-08) Hidden folders are listed only with `includeHiddenFolders=true`. @observed Some are listed without.
   * On: all are.
   */
  hiddenFoldersListed: z.boolean().default(false),
  /** @guess The parameter is refused where it is not yet known. */
  hiddenFoldersRefused: z.boolean().default(false),
  /** @guess Off: no answer shows `childFolderCount`. */
  childFolderCounts: z.boolean().default(true),
  /** @observed The list below the root may include all descendants. */
  rootListsDescendants: z.boolean().default(false),
  /** @observed beta refuses `$select` on an item delta; @doc v1.0 takes it. */
  deltaSelectRefused: z.enum(["beta", "always", "never"]).default("beta"),
  /** @doc Legal: every second page of a delta is empty and has a nextLink. */
  deltaEmptyPages: z.boolean().default(false),
  /** @doc Legal: a page repeats its first entry at its end. */
  deltaDuplicates: z.boolean().default(false),
  /** @doc Legal, as an element may show several times: a page shows what led to a change, each removal twice. */
  deltaFlickers: z.boolean().default(false),
  /** @doc Legal: a round repeats the newest change of the round before it. */
  deltaReplays: z.boolean().default(false),
  /**
   * @doc An updated element comes "with at least the properties that have been updated"; @observed of the mail API: no
   * more than that. What a later round shows of an item: its id alone, also its version, also what changed, or one of
   * these drawn for each version of an item.
   */
  deltaItemsShow: z.enum(["all", "id", "version", "changed", "drawn"]).default("all"),
  /** As above, for folders: a later round shows the id and what changed. */
  deltaFoldersShow: z.enum(["all", "changed"]).default("all"),
  /** @guess Nothing promises that a round tells all: this share of the items that came, or went, is told by none. */
  deltaForgetsAdded: z.number().min(0).max(1).default(0),
  deltaForgetsRemoved: z.number().min(0).max(1).default(0),
  /** @guess Whether `totalItemCount` counts what no listing shows: so many more in each folder. */
  uncountedItems: z.int().nonnegative().default(0),
  /** @doc Changes may show late. */
  deltaDelayMs: z.int().nonnegative().default(0),
  /** @observed 410 SyncStateNotFound; @doc 410 with a Location and an empty token; @observed resyncRequired. */
  deltaExpiry: z.enum(["sync-state-not-found", "location", "resync-required"]).default("sync-state-not-found"),
  /** @guess No order is promised, so the emulator keeps none. */
  exportShuffled: z.boolean().default(true),
  /** @doc The schema says `error`, the archive sample `Error`. */
  exportErrorKey: z.enum(["error", "Error"]).default("error"),
  /** @guess */
  exportTooManyCode: z.string().default("ErrorInvalidRequest"),
  /** @doc The reference says 200, the how-to 201. */
  sessionStatus: z.union([z.literal(200), z.literal(201)]).default(200),
  /** @guess The real lifetime is not documented. */
  sessionLifetimeMs: z.int().positive().default(3_600_000),
  /** @observed Clients handle both. */
  sessionRefusedStatus: z.union([z.literal(401), z.literal(403)]).default(401),
  /** @observed Errors of the import origin come as `{"error":{...}}` or as `{"Message":"..."}`. */
  importErrorShape: z.enum(["graph", "message"]).default("graph"),
  /** @guess Which change keys an `update` takes: the 22 bytes that an import answers, the 30 of listings, or both. */
  updateTakes: z.enum(["short", "long", "both"]).default("both"),
  /** @doc The sample of an answer to an import has its change key. @guess Off: an answer may lack it. */
  importTellsChangeKey: z.boolean().default(true),
  /** @guess On: Exchange works on an item after its import, so that its version is no longer the one in the answer. */
  importedItemsMoveOn: z.boolean().default(false),
  /**
   * @guess The page does not say where a deleted folder goes. `deleted-items`: there, with its id, as in the mail API,
   * and from there for good.
   */
  deletedFoldersGo: z.enum(["away", "deleted-items"]).default("away"),
  /** @guess A user without a mailbox. */
  noMailboxCode: z.string().default("MailboxNotEnabledForRESTAPI"),
  /** @doc disputed: one page says that an app by itself may not translate ids. Off: 403. */
  translateAppOnly: z.boolean().default(true),
  /** @guess No order is promised, so the emulator keeps none. */
  translationsShuffled: z.boolean().default(true),
  /** @observed Old items have no immutable id: those created before this moment. */
  immutableIdsSince: z.iso.datetime().optional(),
  /** @doc sample, of the answer that accepts a personal-data export. */
  exportRetryAfterSeconds: z.int().nonnegative().default(60),
  /** @doc No sample shows one where an operation is read. */
  operationRetryAfterSeconds: z.int().nonnegative().optional(),
  /** @guess Between two steps of an export, each of which writes a file; 0: steps are taken by administration alone. */
  exportStepMs: z.int().nonnegative().default(500),
  /** @guess */
  exportFiles: z.int().nonnegative().default(4),
  /** How exports end. */
  exportOutcome: z.enum(["complete", "failed"]).default("complete"),
  /** @doc The schema says a number, the page a string. */
  exportProgress: z.enum(["number", "string"]).default("number"),
  /** What an export that runs says of itself: another word is a value of the future. */
  exportRunningStatus: z.string().default("running"),
  /** @guess Whether an operation's `storageLocation` is the whole URL, signature and all. */
  operationShowsSas: z.boolean().default(true),
});
export type Behaviours = z.infer<typeof Behaviours>;

export const Settings = z.strictObject({
  /** Least time from a mailbox or directory request's arrival to the first byte of its answer. */
  latencyMs: z.number().nonnegative().default(0),
  limits: Limits.prefault({}),
  behaviours: Behaviours.prefault({}),
});
export type Settings = z.infer<typeof Settings>;

/** Some settings; the others stay as they are. */
export const SettingsPatch = z.strictObject({
  latencyMs: z.unknown().optional(),
  limits: z.record(z.string(), z.unknown()).optional(),
  behaviours: z.record(z.string(), z.unknown()).optional(),
});
export type SettingsPatch = z.infer<typeof SettingsPatch>;

export const patchSettings = (settings: Settings, patch: SettingsPatch): Settings =>
  Settings.parse({
    latencyMs: patch.latencyMs ?? settings.latencyMs,
    limits: { ...settings.limits, ...patch.limits },
    behaviours: { ...settings.behaviours, ...patch.behaviours },
  });
