import { describe, expect, test } from "vitest";
import { readConfig, secretsIn } from "../../shared/config.ts";

const SEAL_KEY = Buffer.alloc(32, 7).toString("base64");

const someSettings = (overrides: Record<string, string | undefined> = {}): Record<string, string | undefined> => ({
  VAULT_BLOB_ENDPOINT: "https://vault.blob.core.windows.net",
  SEAL_KEY,
  BACKUP_SCHEDULE: "0 0 1 * * *",
  WEBSITE_AUTH_ENABLED: "True",
  ...overrides,
});

const refusal = (overrides: Record<string, string | undefined>): string => {
  try {
    readConfig(someSettings(overrides));
  } catch (error) {
    return String(error);
  }
  return "accepted";
};

describe("readConfig", () => {
  test("needs some settings, and has defaults for the others", () => {
    expect(readConfig(someSettings())).toEqual({
      graph: {
        endpoint: "https://graph.microsoft.com",
        importHosts: ["outlook.office365.com"],
        backup: { kind: "managed-identity", clientId: undefined },
        restore: { kind: "managed-identity", clientId: undefined },
        privacy: { kind: "managed-identity", clientId: undefined },
        retention: { kind: "managed-identity", clientId: undefined },
      },
      storage: {
        kind: "endpoint",
        blobEndpoint: "https://vault.blob.core.windows.net",
        packageEndpoint: "https://vault.blob.core.windows.net",
      },
      sealKey: Buffer.alloc(32, 7),
      authentication: "platform",
      idTranslation: { by: "app" },
      backup: {
        scope: "licensed",
        exclude: [],
        excludeFolders: [],
        archives: false,
        window: 8,
        laneBudgetMs: 100_000,
        intervalMs: 86_400_000,
      },
      followUp: {
        leaverHoldDays: 365,
        coverageSchedule: "0 30 * * * *",
        rehearsal: { schedule: "0 0 12 * * *", items: 20 },
      },
      restore: { window: 8, mayDeleteItems: false, waitDivisor: 1 },
      slots: { holdMs: 45_000 },
      verify: { schedule: "0 0 13 * * *", days: 30 },
      personalData: { sasMs: 72 * 3_600_000, timeoutMs: 7 * 86_400_000, deadlineMs: 30 * 86_400_000 },
    });
  });

  test("takes every setting", () => {
    const clientId = "11111111-2222-3333-4444-555555555555";
    const config = readConfig(
      someSettings({
        GRAPH_ENDPOINT: "https://graph.microsoft.us/",
        BACKUP_IDENTITY_CLIENT_ID: clientId,
        RESTORE_IDENTITY_CLIENT_ID: clientId,
        PRIVACY_IDENTITY_CLIENT_ID: clientId,
        VAULT_CONNECTION_STRING: "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;",
        IMPORT_HOSTS: "outlook.office365.us, 127.0.0.1:8443",
        BACKUP_SCOPE: "ada@contoso.example, 42",
        BACKUP_WINDOW: "3",
        RESTORE_WINDOW: "4",
        RESTORE_UNDO_ITEMS: "true",
        LANE_SECONDS: "45",
        PERSONAL_DATA_SAS_HOURS: "12",
        PERSONAL_DATA_TIMEOUT_DAYS: "2",
        PERSONAL_DATA_DEADLINE_DAYS: "20",
      }),
    );

    expect(config).toMatchObject({
      graph: {
        endpoint: "https://graph.microsoft.us",
        importHosts: ["outlook.office365.us", "127.0.0.1:8443"],
        backup: { clientId },
        restore: { clientId },
        privacy: { clientId },
      },
      storage: { kind: "connection-string" },
      backup: { scope: ["ada@contoso.example", "42"], window: 3, laneBudgetMs: 45_000 },
      restore: { window: 4, mayDeleteItems: true, waitDivisor: 1 },
      personalData: { sasMs: 12 * 3_600_000, timeoutMs: 2 * 86_400_000, deadlineMs: 20 * 86_400_000 },
    });
  });

  test("takes the settings of follow-ups", () => {
    const source = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/vault";
    const { followUp, backup } = readConfig(
      someSettings({
        EVENT_SOURCE: source,
        LEAVER_HOLD_DAYS: "30",
        BACKUP_INTERVAL_HOURS: "12",
        NOTIFY_WEBHOOK_URL: "https://hooks.example/s3cret",
        NOTIFY_FORMAT: "slack",
        COVERAGE_SCHEDULE: "0 0 * * * *",
        REHEARSAL_SCHEDULE: "0 0 7 * * *",
        REHEARSAL_MAILBOX: "rehearsal@contoso.example",
        REHEARSAL_ITEMS: "50",
      }),
    );

    expect(backup.intervalMs).toBe(12 * 3_600_000);
    expect(followUp).toEqual({
      eventSource: source,
      packageEventSource: source,
      leaverHoldDays: 30,
      webhook: { url: "https://hooks.example/s3cret", format: "slack" },
      coverageSchedule: "0 0 * * * *",
      rehearsal: { schedule: "0 0 7 * * *", mailbox: "rehearsal@contoso.example", items: 50 },
    });
  });

  test("takes an account of packages and an identity that removes, apart from the vault's and the backup's", () => {
    const packages = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/packages";
    const backup = "11111111-1111-4111-8111-111111111111";
    const remover = "22222222-2222-4222-8222-222222222222";
    const apart = readConfig(
      someSettings({
        PACKAGES_BLOB_ENDPOINT: "https://packages.blob.core.windows.net",
        PACKAGES_EVENT_SOURCE: packages,
        BACKUP_IDENTITY_CLIENT_ID: backup,
        RETENTION_IDENTITY_CLIENT_ID: remover,
      }),
    );
    expect(apart.storage).toMatchObject({ packageEndpoint: "https://packages.blob.core.windows.net" });
    expect(apart.followUp.packageEventSource).toBe(packages);
    expect(apart.graph.retention).toEqual({ kind: "managed-identity", clientId: remover });
    expect(readConfig(someSettings({ BACKUP_IDENTITY_CLIENT_ID: backup })).graph.retention).toMatchObject({
      clientId: backup,
    });
  });

  test("takes a webhook without TLS on this machine only", () => {
    const { followUp } = readConfig(someSettings({ NOTIFY_WEBHOOK_URL: "http://127.0.0.1:9000/hook" }));

    expect(followUp.webhook).toEqual({ url: "http://127.0.0.1:9000/hook", format: "teams" });
  });

  test.each(["all", "licensed"])("takes '%s' for a scope", (scope) => {
    expect(readConfig(someSettings({ BACKUP_SCOPE: scope })).backup.scope).toBe(scope);
  });

  test("takes the scope of backups", () => {
    const { backup } = readConfig(
      someSettings({
        BACKUP_SCOPE: "group:11111111-2222-3333-4444-555555555555",
        BACKUP_EXCLUDE: "ada@contoso.example,, 42 ",
        BACKUP_EXCLUDE_FOLDERS: "junkemail, /Inbox/50%25%2C or less, +recoverableitemsdeletions",
        BACKUP_ARCHIVES: "True",
      }),
    );

    expect(backup).toMatchObject({
      scope: { group: "11111111-2222-3333-4444-555555555555" },
      exclude: ["ada@contoso.example", "42"],
      excludeFolders: ["junkemail", "/Inbox/50%25%2C or less", "+recoverableitemsdeletions"],
      archives: true,
    });
  });

  test("takes an empty text as an empty list, or as a setting that is not set", () => {
    const { backup, followUp } = readConfig(
      someSettings({ BACKUP_EXCLUDE: "", BACKUP_EXCLUDE_FOLDERS: " ", REHEARSAL_MAILBOX: " " }),
    );

    expect(backup).toMatchObject({ exclude: [], excludeFolders: [] });
    expect(followUp.rehearsal.mailbox).toBeUndefined();
  });

  test.each([
    ["GRAPH_ENDPOINT", "s3cret", /should be the origin of Microsoft Graph/],
    ["GRAPH_ENDPOINT", "http://s3cret.example", /should be https/],
    ["BACKUP_IDENTITY_CLIENT_ID", "s3cret", /should be the client id of the managed identity that exports/],
    ["RESTORE_IDENTITY_CLIENT_ID", "s3cret", /should be the client id of the managed identity that imports/],
    [
      "PRIVACY_IDENTITY_CLIENT_ID",
      "s3cret",
      /should be the client id of the managed identity that exports personal data/,
    ],
    ["LOCAL_BACKUP_TOKEN", "", /should be a token/],
    ["LOCAL_RESTORE_TOKEN", "", /should be a token/],
    ["LOCAL_BACKUP_TOKEN", "s3cret", /is for the emulator only: remove it/],
    ["LOCAL_RESTORE_TOKEN", "s3cret", /is for the emulator only: remove it/],
    ["LOCAL_PRIVACY_TOKEN", "s3cret", /is for the emulator only: remove it/],
    ["LOCAL_WAIT_DIVISOR", "60", /is for the emulator only: remove it/],
    ["LOCAL_WAIT_DIVISOR", "0", /should be a whole number from 1 to 1000/],
    ["VAULT_BLOB_ENDPOINT", undefined, /should be the blob endpoint of the data account/],
    ["VAULT_BLOB_ENDPOINT", "s3cret", /should be the blob endpoint of the data account/],
    ["VAULT_CONNECTION_STRING", "AccountKey=s3cret", /should be a connection string with a BlobEndpoint/],
    ["SEAL_KEY", undefined, /should be 32 random bytes in base64/],
    ["SEAL_KEY", "s3cret", /should be 32 random bytes in base64/],
    ["SEAL_KEY", Buffer.alloc(31).toString("base64"), /should be 32 random bytes in base64/],
    ["IMPORT_HOSTS", "s3cret,,", /should be host names separated by commas/],
    ["BACKUP_SCHEDULE", undefined, /should be a six-field NCRONTAB expression/],
    ["BACKUP_SCHEDULE", "s3cret * * * *", /should be a six-field NCRONTAB expression/],
    ["BACKUP_SCOPE", "s3cret,,", /should be 'all', 'licensed', 'group:' with/],
    ["BACKUP_SCOPE", "group:s3cret", /should be 'all', 'licensed', 'group:' with/],
    ["BACKUP_SCOPE", "s3cret, all", /should be 'all', 'licensed', 'group:' with/],
    ["BACKUP_SCOPE", "licensed, s3cret", /should be 'all', 'licensed', 'group:' with/],
    ["BACKUP_ARCHIVES", "s3cret", /should be 'true' or 'false'/],
    ["BACKUP_EXCLUDE_FOLDERS", "100% s3cret", /should be well-known names or paths of folders/],
    ["BACKUP_WINDOW", "s3cret", /should be a whole number from 1 to 100/],
    ["BACKUP_WINDOW", "101", /should be a whole number from 1 to 100/],
    ["RESTORE_WINDOW", "0", /should be a whole number from 1 to 100/],
    ["RESTORE_UNDO_ITEMS", "s3cret", /should be 'true' or 'false'/],
    ["BACKUP_WINDOW", "", /should be a whole number from 1 to 100/],
    ["ID_TRANSLATION", "s3cret", /should be 'app', or 'delegated'/],
    ["ID_TRANSLATION_TENANT_ID", "s3cret", /should be the id of the tenant/],
    ["ID_TRANSLATION_CLIENT_ID", "s3cret", /should be the client id of the app registration/],
    ["AUTHENTICATION", "s3cret", /should be 'platform', or 'none' for the emulator only/],
    ["AUTHENTICATION", "", /should be 'platform', or 'none' for the emulator only/],
    ["COVERAGE_SCHEDULE", "", /should be a six-field NCRONTAB expression/],
    ["REHEARSAL_SCHEDULE", "s3cret", /should be a six-field NCRONTAB expression/],
    ["EVENT_SOURCE", "s3cret", /should be the resource id of the data account/],
    ["LEAVER_HOLD_DAYS", "0", /should be a whole number from 1 to 36500/],
    ["BACKUP_INTERVAL_HOURS", "s3cret", /should be a whole number from 1 to 8760/],
    ["NOTIFY_WEBHOOK_URL", "s3cret", /should be the URL of a webhook, over https/],
    ["NOTIFY_WEBHOOK_URL", "http://hooks.example/s3cret", /should be the URL of a webhook, over https/],
    ["NOTIFY_FORMAT", "s3cret", /should be 'teams' or 'slack'/],
    ["REHEARSAL_ITEMS", "51", /should be a whole number from 1 to 50/],
    ["LANE_SECONDS", "1.5", /should be a whole number from 1 to 600/],
    ["VERIFY_SHARE", "s3cret", /should be the share of the vault/],
    ["VERIFY_SHARE", "2/30", /should be the share of the vault/],
    ["VERIFY_SHARE", "1/0", /should be the share of the vault/],
    ["VERIFY_SCHEDULE", "s3cret", /should be a six-field NCRONTAB expression/],
    ["PERSONAL_DATA_SAS_HOURS", "168", /should be a whole number from 1 to 167/],
    ["PERSONAL_DATA_TIMEOUT_DAYS", "8", /should be a whole number from 1 to 7/],
    ["PERSONAL_DATA_DEADLINE_DAYS", "0", /should be a whole number from 1 to 366/],
  ])("refuses %s=%s by name, without repeating it", (setting, value, reason) => {
    const message = refusal({ [setting]: value });

    expect(message).toMatch(new RegExp(`${setting} .*${reason.source}`));
    expect(message).not.toContain("s3cret");
    expect(message).not.toContain(SEAL_KEY);
  });

  test("names all wrong settings at once, each once", () => {
    const message = refusal({ SEAL_KEY: undefined, VAULT_BLOB_ENDPOINT: undefined, LOCAL_BACKUP_TOKEN: "t" });

    expect(message.match(/\b[A-Z]{2,}(_[A-Z]+)+\b/g)).toEqual([
      "SEAL_KEY",
      "VAULT_BLOB_ENDPOINT",
      "LOCAL_BACKUP_TOKEN",
      "GRAPH_ENDPOINT",
    ]);
  });

  test.each(["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"])(
    "takes local tokens for an emulator at %s",
    (endpoint) => {
      const config = readConfig(
        someSettings({ GRAPH_ENDPOINT: endpoint, LOCAL_BACKUP_TOKEN: "b", LOCAL_RESTORE_TOKEN: "r" }),
      );
      expect(config.graph).toMatchObject({
        endpoint,
        backup: { kind: "local-token", token: "b" },
        restore: { kind: "local-token", token: "r" },
      });
    },
  );

  test.each(["https://127.0.0.1.example", "https://localhost.example", "https://graph.microsoft.com"])(
    "takes no local token for %s",
    (endpoint) => {
      expect(refusal({ GRAPH_ENDPOINT: endpoint, LOCAL_BACKUP_TOKEN: "t" })).toMatch(/LOCAL_BACKUP_TOKEN is for/);
    },
  );

  test("translates ids on behalf of callers, with the app registration that they sign in by", () => {
    const [tenantId, clientId] = ["11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"];
    const delegated = { ID_TRANSLATION: "delegated", ID_TRANSLATION_TENANT_ID: tenantId };

    expect(readConfig(someSettings({ ...delegated, ID_TRANSLATION_CLIENT_ID: clientId })).idTranslation).toEqual({
      by: "caller",
      tenantId,
      clientId,
    });
    expect(refusal(delegated)).toMatch(/ID_TRANSLATION_CLIENT_ID is needed/);
    expect(refusal({ ID_TRANSLATION: "delegated" })).toMatch(/ID_TRANSLATION_TENANT_ID is needed/);
  });

  test("translates nothing on behalf of callers on the emulator, which has no sign-in", () => {
    const local = { GRAPH_ENDPOINT: "http://127.0.0.1:8080", ID_TRANSLATION: "delegated" };

    expect(refusal(local)).toMatch(/ID_TRANSLATION 'delegated' needs Microsoft Entra/);
  });

  test("allows callers without sign-in for an emulator on this machine", () => {
    const local = { GRAPH_ENDPOINT: "http://127.0.0.1:8080", AUTHENTICATION: "none" };

    expect(readConfig(someSettings(local)).authentication).toBe("none");
    expect(readConfig(someSettings({ ...local, AUTHENTICATION: "platform" })).authentication).toBe("platform");
  });

  test.each([undefined, "https://graph.microsoft.com", "https://127.0.0.1:8080", "http://graph.contoso.example"])(
    "lets no caller go unnamed for %s",
    (endpoint) => {
      expect(refusal({ GRAPH_ENDPOINT: endpoint, AUTHENTICATION: "none" })).toMatch(
        /AUTHENTICATION 'none' is for the emulator only: remove it/,
      );
    },
  );

  test.each([undefined, "", "False", "no"])("starts only on this machine while sign-in is %j", (enabled) => {
    expect(refusal({ WEBSITE_AUTH_ENABLED: enabled })).toMatch(/AUTHENTICATION 'platform' needs the platform's/);
    expect(refusal({ WEBSITE_AUTH_ENABLED: enabled, GRAPH_ENDPOINT: "http://127.0.0.1:8080" })).toBe("accepted");
  });
});

describe("secretsIn", () => {
  test("names every setting that is a secret", () => {
    const local = {
      GRAPH_ENDPOINT: "http://127.0.0.1:8080",
      LOCAL_BACKUP_TOKEN: "b",
      LOCAL_RESTORE_TOKEN: "r",
      LOCAL_PRIVACY_TOKEN: "p",
    };
    const connection = "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;AccountKey=k;";
    const hook = "https://hooks.example/h";
    const secrets = { ...local, VAULT_CONNECTION_STRING: connection, NOTIFY_WEBHOOK_URL: hook };

    expect(secretsIn(readConfig(someSettings(secrets)))).toEqual([SEAL_KEY, "b", "r", "p", connection, hook]);
  });
});
