import * as z from "zod";

const isLoopback = (url: string): boolean => ["127.0.0.1", "localhost", "[::1]"].includes(new URL(url).hostname);

const list = z
  .string()
  .transform((text) => text.split(",").map((entry) => entry.trim()))
  .pipe(z.array(z.string().min(1)).min(1));

const seconds = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

const duty = (env: { clientId: string | undefined; localToken: string | undefined }): DutyCredential =>
  env.localToken === undefined
    ? { kind: "managed-identity", clientId: env.clientId }
    : { kind: "local-token", token: env.localToken };

/**
 * What each setting should be, in the words an operator reads when it is not. The host reads `BACKUP_SCHEDULE` too, as
 * the timer's `%BACKUP_SCHEDULE%`.
 */
const Settings = z
  .object({
    GRAPH_ENDPOINT: z.url({ error: "should be the origin of Microsoft Graph, such as https://graph.microsoft.com" }),
    BACKUP_IDENTITY_CLIENT_ID: z.guid({ error: "should be the client id of the managed identity that exports" }),
    RESTORE_IDENTITY_CLIENT_ID: z.guid({ error: "should be the client id of the managed identity that imports" }),
    LOCAL_BACKUP_TOKEN: z.string().min(1),
    LOCAL_RESTORE_TOKEN: z.string().min(1),
    VAULT_BLOB_ENDPOINT: z.url({ error: "should be the blob endpoint of the data account" }),
    VAULT_CONNECTION_STRING: z.string().regex(/BlobEndpoint=/, {
      error: "should be a connection string with a BlobEndpoint, for a local storage emulator only",
    }),
    SEAL_KEY: z
      .base64({ error: "should be 32 random bytes in base64" })
      .refine((key) => Buffer.from(key, "base64").length === 32, {
        error: "should be 32 random bytes in base64",
      }),
    IMPORT_HOSTS: list,
    BACKUP_SCHEDULE: z
      .string({ error: "should be a six-field NCRONTAB expression, such as 0 0 1 * * *" })
      .regex(/^(\S+\s+){5}\S+$/, { error: "should be a six-field NCRONTAB expression, such as 0 0 1 * * *" }),
    BACKUP_SCOPE: z.union([z.literal("licensed"), list], {
      error: "should be 'licensed', or user ids or principal names separated by commas",
    }),
    BACKUP_WINDOW: seconds(1, 100),
    LANE_SECONDS: seconds(1, 600),
  })
  .partial()
  .required({ SEAL_KEY: true, BACKUP_SCHEDULE: true })
  .transform((env, context): Config => {
    const graphEndpoint = env.GRAPH_ENDPOINT ?? "https://graph.microsoft.com";
    const refuse = (setting: string, message: string): void => {
      context.issues.push({ code: "custom", path: [setting], message, input: env });
    };
    if (env.VAULT_BLOB_ENDPOINT === undefined && env.VAULT_CONNECTION_STRING === undefined)
      refuse("VAULT_BLOB_ENDPOINT", "should be the blob endpoint of the data account");
    for (const setting of ["LOCAL_BACKUP_TOKEN", "LOCAL_RESTORE_TOKEN"] as const) {
      if (env[setting] !== undefined && !isLoopback(graphEndpoint))
        refuse(setting, "is for the emulator only: remove it, or point GRAPH_ENDPOINT at this machine");
    }
    return {
      graph: {
        endpoint: new URL(graphEndpoint).origin,
        importHosts: env.IMPORT_HOSTS ?? ["outlook.office365.com"],
        backup: duty({ clientId: env.BACKUP_IDENTITY_CLIENT_ID, localToken: env.LOCAL_BACKUP_TOKEN }),
        restore: duty({ clientId: env.RESTORE_IDENTITY_CLIENT_ID, localToken: env.LOCAL_RESTORE_TOKEN }),
      },
      storage:
        env.VAULT_CONNECTION_STRING === undefined
          ? { kind: "endpoint", blobEndpoint: env.VAULT_BLOB_ENDPOINT ?? "" }
          : { kind: "connection-string", connectionString: env.VAULT_CONNECTION_STRING },
      sealKey: Buffer.from(env.SEAL_KEY, "base64"),
      backup: {
        scope: env.BACKUP_SCOPE ?? "licensed",
        window: env.BACKUP_WINDOW ?? 8,
        laneBudgetMs: (env.LANE_SECONDS ?? 100) * 1000,
      },
    };
  });

/** Who the app is towards Graph for one duty. A local token works against an emulator on this machine only. */
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
  };
  readonly storage:
    | { readonly kind: "endpoint"; readonly blobEndpoint: string }
    | { readonly kind: "connection-string"; readonly connectionString: string };
  readonly sealKey: Buffer;
  readonly backup: {
    readonly scope: "licensed" | readonly string[];
    /** Mailboxes backed up at the same time. */
    readonly window: number;
    /** How long one lane works before it returns. */
    readonly laneBudgetMs: number;
  };
}

/**
 * The app's settings.
 *
 * @throws {Error} naming every setting that is missing or wrong, and what it should be. Values are not repeated: a
 * setting may be a secret.
 */
export const readConfig = (env: Readonly<Record<string, string | undefined>> = process.env): Config => {
  const parsed = Settings.safeParse(env);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`);
  throw new Error(`The app cannot start with these settings: ${lines.join("; ")}`);
};
