import * as z from "zod";
import { BackupScope, Entries, FolderEntries } from "./backup-scope.ts";
import { RetentionPolicy } from "./retention-policy.ts";
import { BLOB_ENDPOINT, conflictsIn, GRAPH, isHttps } from "./setting-conflicts.ts";
import {
  COVERAGE_SCHEDULE,
  DAY_MS,
  endpointsOf,
  HOUR_MS,
  list,
  localToken,
  REHEARSAL_SCHEDULE,
  STORAGE_ACCOUNT,
  schedule,
  VERIFY_SCHEDULE,
  wholeNumber,
} from "./setting-schemas.ts";

/** Longest time in which the lanes of a wave begin work. What they have begun then must end before the host's limit. */
export const MAX_LANE_SECONDS = 600;

/** How long a mailbox and its slots are held without being renewed. With an emulator, no test waits for so long. */
const HOLD_MS = 45_000;
const MIN_HOLD_MS = 3_000;

/**
 * A user delegation key is valid for 7 days, of which some minutes have passed. Source:
 * learn.microsoft.com/rest/api/storageservices/get-user-delegation-key.
 */
const MAX_SAS_HOURS = 7 * 24 - 1;

/** The record of an export is scratch data, which lasts longer. */
const MAX_EXPORT_DAYS = 7;

const duty = (env: { clientId: string | undefined; localToken: string | undefined }): DutyCredential =>
  env.localToken === undefined
    ? { kind: "managed-identity", clientId: env.clientId }
    : { kind: "local-token", token: env.localToken };

/**
 * The settings. Each error says what a setting should be, in words for an operator. The host reads `BACKUP_SCHEDULE`
 * too, as the timer's `%BACKUP_SCHEDULE%`.
 */
const Settings = z
  .object({
    GRAPH_ENDPOINT: z.url({ error: "should be the origin of Microsoft Graph, such as https://graph.microsoft.com" }),
    BACKUP_IDENTITY_CLIENT_ID: z.guid({ error: "should be the client id of the managed identity that exports" }),
    RESTORE_IDENTITY_CLIENT_ID: z.guid({ error: "should be the client id of the managed identity that imports" }),
    PRIVACY_IDENTITY_CLIENT_ID: z.guid({
      error: "should be the client id of the managed identity that exports personal data",
    }),
    RETENTION_IDENTITY_CLIENT_ID: z.guid({ error: "should be the client id of the managed identity that removes" }),
    LOCAL_BACKUP_TOKEN: localToken,
    LOCAL_RESTORE_TOKEN: localToken,
    LOCAL_PRIVACY_TOKEN: localToken,
    LOCAL_WAIT_DIVISOR: wholeNumber(1, 1_000),
    VAULT_BLOB_ENDPOINT: z.url({ error: BLOB_ENDPOINT }),
    PACKAGES_BLOB_ENDPOINT: z.url({ error: "should be the blob endpoint of the account of personal-data packages" }),
    VAULT_CONNECTION_STRING: z.string().regex(/BlobEndpoint=/, {
      error: "should be a connection string with a BlobEndpoint, for a local storage emulator only",
    }),
    IMPORT_HOSTS: list("should be host names separated by commas, such as outlook.office365.com"),
    BACKUP_SCOPE: BackupScope,
    BACKUP_EXCLUDE: Entries,
    BACKUP_EXCLUDE_FOLDERS: FolderEntries,
    BACKUP_ARCHIVES: z.stringbool({ error: "should be 'true' or 'false'" }),
    BACKUP_WINDOW: wholeNumber(1, 100),
    RESTORE_WINDOW: wholeNumber(1, 100),
    RESTORE_UNDO_ITEMS: z.stringbool({ error: "should be 'true' or 'false'" }),
    LANE_SECONDS: wholeNumber(1, MAX_LANE_SECONDS),
    RETENTION: RetentionPolicy,
    ID_TRANSLATION: z.enum(["app", "delegated"], {
      error: "should be 'app', or 'delegated' to translate as the caller",
    }),
    ID_TRANSLATION_TENANT_ID: z.guid({ error: "should be the id of the tenant that callers sign in to" }),
    ID_TRANSLATION_CLIENT_ID: z.guid({
      error: "should be the client id of the app registration that callers sign in by",
    }),
    VERIFY_SCHEDULE: schedule(VERIFY_SCHEDULE),
    VERIFY_SHARE: z.string().regex(/^1\/([1-9]\d{0,2})$/, {
      error: "should be the share of the vault that each day verifies, from 1/1 to 1/999, such as 1/30",
    }),
    PERSONAL_DATA_SAS_HOURS: wholeNumber(1, MAX_SAS_HOURS),
    PERSONAL_DATA_TIMEOUT_DAYS: wholeNumber(1, MAX_EXPORT_DAYS),
    PERSONAL_DATA_DEADLINE_DAYS: wholeNumber(1, 366),
    AUTHENTICATION: z.enum(["platform", "none"], { error: "should be 'platform', or 'none' for the emulator only" }),
    EVENT_SOURCE: z.string().regex(STORAGE_ACCOUNT, { error: "should be the resource id of the data account" }),
    PACKAGES_EVENT_SOURCE: z
      .string()
      .regex(STORAGE_ACCOUNT, { error: "should be the resource id of the packages' account" }),
    LEAVER_HOLD_DAYS: wholeNumber(1, 36_500),
    BACKUP_INTERVAL_HOURS: wholeNumber(1, 8_760),
    NOTIFY_WEBHOOK_URL: z.url({ error: "should be the URL of a webhook, over https" }).refine(isHttps, {
      error: "should be the URL of a webhook, over https",
    }),
    NOTIFY_FORMAT: z.enum(["teams", "slack"], { error: "should be 'teams' or 'slack'" }),
    COVERAGE_SCHEDULE: schedule(COVERAGE_SCHEDULE),
    REHEARSAL_SCHEDULE: schedule(REHEARSAL_SCHEDULE),
    REHEARSAL_MAILBOX: z.string().trim(),
    REHEARSAL_ITEMS: wholeNumber(1, 50),
  })
  .partial()
  .extend({
    SEAL_KEY: z
      .base64({ error: "should be 32 random bytes in base64" })
      .refine((key) => Buffer.from(key, "base64").length === 32, {
        error: "should be 32 random bytes in base64",
      }),
    BACKUP_SCHEDULE: schedule("0 0 1 * * *"),
  })
  .transform(
    (env): Config => ({
      graph: {
        endpoint: new URL(env.GRAPH_ENDPOINT ?? GRAPH).origin,
        importHosts: env.IMPORT_HOSTS ?? ["outlook.office365.com"],
        backup: duty({ clientId: env.BACKUP_IDENTITY_CLIENT_ID, localToken: env.LOCAL_BACKUP_TOKEN }),
        restore: duty({ clientId: env.RESTORE_IDENTITY_CLIENT_ID, localToken: env.LOCAL_RESTORE_TOKEN }),
        privacy: duty({ clientId: env.PRIVACY_IDENTITY_CLIENT_ID, localToken: env.LOCAL_PRIVACY_TOKEN }),
        retention: duty({
          clientId: env.RETENTION_IDENTITY_CLIENT_ID ?? env.BACKUP_IDENTITY_CLIENT_ID,
          localToken: env.LOCAL_BACKUP_TOKEN,
        }),
      },
      storage:
        env.VAULT_CONNECTION_STRING === undefined
          ? endpointsOf(env.VAULT_BLOB_ENDPOINT ?? "", env.PACKAGES_BLOB_ENDPOINT)
          : { kind: "connection-string", connectionString: env.VAULT_CONNECTION_STRING },
      retention: env.RETENTION,
      sealKey: Buffer.from(env.SEAL_KEY, "base64"),
      idTranslation:
        env.ID_TRANSLATION === "delegated"
          ? {
              by: "caller",
              tenantId: env.ID_TRANSLATION_TENANT_ID ?? "",
              clientId: env.ID_TRANSLATION_CLIENT_ID ?? "",
            }
          : { by: "app" },
      authentication: env.AUTHENTICATION ?? "platform",
      backup: {
        scope: env.BACKUP_SCOPE ?? "licensed",
        exclude: env.BACKUP_EXCLUDE ?? [],
        excludeFolders: env.BACKUP_EXCLUDE_FOLDERS ?? [],
        archives: env.BACKUP_ARCHIVES ?? false,
        window: env.BACKUP_WINDOW ?? 8,
        laneBudgetMs: (env.LANE_SECONDS ?? 100) * 1000,
        intervalMs: (env.BACKUP_INTERVAL_HOURS ?? 24) * 3_600_000,
      },
      followUp: {
        eventSource: env.EVENT_SOURCE,
        packageEventSource: env.PACKAGES_EVENT_SOURCE ?? env.EVENT_SOURCE,
        leaverHoldDays: env.LEAVER_HOLD_DAYS ?? 365,
        webhook:
          env.NOTIFY_WEBHOOK_URL === undefined
            ? undefined
            : { url: env.NOTIFY_WEBHOOK_URL, format: env.NOTIFY_FORMAT ?? "teams" },
        coverageSchedule: env.COVERAGE_SCHEDULE ?? COVERAGE_SCHEDULE,
        rehearsal: {
          schedule: env.REHEARSAL_SCHEDULE ?? REHEARSAL_SCHEDULE,
          mailbox: env.REHEARSAL_MAILBOX || undefined,
          items: env.REHEARSAL_ITEMS ?? 20,
        },
      },
      restore: {
        window: env.RESTORE_WINDOW ?? 8,
        mayDeleteItems: env.RESTORE_UNDO_ITEMS ?? false,
        waitDivisor: env.LOCAL_WAIT_DIVISOR ?? 1,
      },
      slots: { holdMs: Math.max(MIN_HOLD_MS, HOLD_MS / (env.LOCAL_WAIT_DIVISOR ?? 1)) },
      verify: {
        schedule: env.VERIFY_SCHEDULE ?? VERIFY_SCHEDULE,
        days: Number((env.VERIFY_SHARE ?? "1/30").slice("1/".length)),
      },
      personalData: {
        sasMs: (env.PERSONAL_DATA_SAS_HOURS ?? 72) * HOUR_MS,
        timeoutMs: (env.PERSONAL_DATA_TIMEOUT_DAYS ?? MAX_EXPORT_DAYS) * DAY_MS,
        deadlineMs: (env.PERSONAL_DATA_DEADLINE_DAYS ?? 30) * DAY_MS,
      },
    }),
  );

/** The app's credential for one duty. A local token is for an emulator on this machine only. */
export type DutyCredential =
  | { readonly kind: "managed-identity"; readonly clientId: string | undefined }
  | { readonly kind: "local-token"; readonly token: string };

export interface Config {
  readonly graph: {
    readonly endpoint: string;
    /** Hosts (with port where it is not 443) that an import URL may name. */
    readonly importHosts: readonly string[];
    readonly backup: DutyCredential;
    readonly restore: DutyCredential;
    /** Reads users, has their personal data exported, and keeps the packages. */
    readonly privacy: DutyCredential;
    /** Deletes from the vault, and does nothing else. */
    readonly retention: DutyCredential;
  };
  /** In Azure, packages of personal data are kept in an account apart from the vault. */
  readonly storage:
    | { readonly kind: "endpoint"; readonly blobEndpoint: string; readonly packageEndpoint: string }
    | { readonly kind: "connection-string"; readonly connectionString: string };
  /** Which snapshots are kept; without a policy nothing is ever removed. */
  readonly retention: RetentionPolicy | undefined;
  readonly sealKey: Buffer;
  /** Whether ids are translated as the app, or on behalf of the caller, who signed in by an app registration. */
  readonly idTranslation:
    | { readonly by: "app" }
    | { readonly by: "caller"; readonly tenantId: string; readonly clientId: string };
  /** What authenticates callers: the platform or, for an emulator on this machine only, nothing. */
  readonly authentication: "platform" | "none";
  readonly backup: {
    readonly scope: BackupScope;
    /** Users, by id or principal name, who are never backed up. */
    readonly exclude: readonly string[];
    /** Folders to leave out, by path or well-known name; with a `+`, a default to include. */
    readonly excludeFolders: readonly string[];
    /** Whether archive mailboxes are backed up too, which needs beta endpoints. */
    readonly archives: boolean;
    /** Mailboxes backed up at the same time. */
    readonly window: number;
    /** How long the lanes of a wave work before they return. */
    readonly laneBudgetMs: number;
    /** How often a mailbox should be backed up. */
    readonly intervalMs: number;
  };
  readonly restore: {
    /** Mailboxes that a list of restores restores into at the same time. */
    readonly window: number;
    /** Whether the restore identity was given the right to delete items, which undoing a restore may need. */
    readonly mayDeleteItems: boolean;
    /** How many times shorter waits for imports without an answer are: more than 1 with an emulator only. */
    readonly waitDivisor: number;
  };
  readonly slots: {
    /** How long a mailbox and its slots are held without being renewed: shorter with an emulator only. */
    readonly holdMs: number;
  };
  readonly followUp: {
    /** The resource id of the account whose events are trusted; `undefined`: every one that is subscribed to. */
    readonly eventSource: string | undefined;
    /** The same of the account of packages. */
    readonly packageEventSource: string | undefined;
    /** How long the mailbox of someone who left is kept from retention. */
    readonly leaverHoldDays: number;
    /** Where notices go. The URL is a credential. */
    readonly webhook: Webhook | undefined;
    /** When coverage is scanned, as NCRONTAB. */
    readonly coverageSchedule: string;
    readonly rehearsal: {
      readonly schedule: string;
      /** The user whose mailbox takes rehearsals, by id or principal name; `undefined`: there are none. */
      readonly mailbox: string | undefined;
      readonly items: number;
    };
  };
  readonly verify: {
    readonly schedule: string;
    /** The number of days in which all of the vault is verified, a share each day. */
    readonly days: number;
  };
  readonly personalData: {
    /** How long Microsoft may write into the package of an export. */
    readonly sasMs: number;
    /** How long an export is waited for. */
    readonly timeoutMs: number;
    /** How long after a request a person must have an answer. */
    readonly deadlineMs: number;
  };
}

/** A webhook, and the format of its messages. */
export interface Webhook {
  readonly url: string;
  readonly format: "teams" | "slack";
}

/**
 * The app's settings.
 *
 * @throws {Error} naming every setting that is missing or wrong, and what it should be. Values are not repeated: a
 * setting may be a secret.
 */
export const readConfig = (env: Readonly<Record<string, string | undefined>> = process.env): Config => {
  const parsed = Settings.safeParse(env);
  const wrong = conflictsIn(env);
  if (parsed.success && wrong.length === 0) return parsed.data;
  const issues = parsed.error?.issues ?? [];
  const lines = [...issues.map(({ path, message }) => `${String(path[0])} ${message}`), ...wrong];
  throw new Error(`The app cannot start with these settings: ${lines.join("; ")}`);
};

/** The settings that are secrets, as they may appear in a text. */
export const secretsIn = ({ graph, sealKey, storage, followUp }: Config): string[] => [
  sealKey.toString("base64"),
  ...[graph.backup, graph.restore, graph.privacy].flatMap((duty) => (duty.kind === "local-token" ? [duty.token] : [])),
  ...(storage.kind === "connection-string" ? [storage.connectionString] : []),
  ...(followUp.webhook === undefined ? [] : [followUp.webhook.url]),
];
