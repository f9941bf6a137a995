/** A deployment: a parameter file, whose snapshot shows what it would make. */
export interface Target {
  /** Path of the parameter file below infra/, without its ending. */
  readonly name: string;
  readonly scope: "subscription" | "group";
  /** What its snapshot has. */
  readonly layer: "foundation" | "app" | "both" | "events" | "secret";
  readonly choice?: "customer-key" | "second-subscription" | "private" | "scheduler";
}

export const TARGETS: readonly Target[] = [
  { name: "main", scope: "subscription", layer: "both" },
  { name: "foundation", scope: "subscription", layer: "foundation" },
  { name: "prod", scope: "group", layer: "app" },
  { name: "events/main", scope: "group", layer: "events" },
  { name: "identity/secret", scope: "group", layer: "secret" },
  { name: "choices/customer-key", scope: "subscription", layer: "foundation", choice: "customer-key" },
  {
    name: "choices/second-subscription-foundation",
    scope: "subscription",
    layer: "foundation",
    choice: "second-subscription",
  },
  { name: "choices/second-subscription-app", scope: "group", layer: "app", choice: "second-subscription" },
  { name: "choices/private-foundation", scope: "subscription", layer: "foundation", choice: "private" },
  { name: "choices/private-app", scope: "group", layer: "app", choice: "private" },
  { name: "choices/scheduler-app", scope: "group", layer: "app", choice: "scheduler" },
  { name: "choices/notices-app", scope: "group", layer: "app" },
];

export const SUBSCRIPTION = "11111111-1111-4111-8111-111111111111";
export const SECOND_SUBSCRIPTION = "22222222-2222-4222-8222-222222222222";

/**
 * A value for every variable that a parameter file reads. With these alone snapshots are made, so that they are the
 * same everywhere and hold nobody's address.
 */
export const EXAMPLES: Readonly<Record<string, string>> = {
  AZURE_ENV_NAME: "dev",
  AZURE_LOCATION: "westeurope",
  OWNER: "platform",
  COST_CENTER: "4711",
  ALERT_EMAIL: "alerts@example.com",
  ALERT_EMAILS: "alerts@example.com,more-alerts@example.com",
  BUDGET_START: "2026-12-01",
  API_CLIENT_ID: "33333333-3333-4333-8333-333333333333",
  API_CALLERS: "44444444-4444-4444-8444-444444444444",
  BACKUP_SCOPE: "pilot@example.com",
  REHEARSAL_MAILBOX: "rehearsal@example.com",
  USER_TOPIC_NAME: "mailbox-vault-users",
  DEPLOYER_PRINCIPAL_ID: "55555555-5555-4555-8555-555555555555",
  VAULT_SUBSCRIPTION_ID: SECOND_SUBSCRIPTION,
  VAULT_RESOURCE_GROUP: "mv-prod-vault-rg",
  APP_NAME: "mv-prod-app-example",
  TOPIC_NAME: "mv-prod-data-events",
  DATA_ACCOUNT_NAME: "mvdataexample",
  PACKAGE_TOPIC_NAME: "mv-prod-package-events",
  PACKAGE_ACCOUNT_NAME: "mvdsrexample",
  KEY_VAULT_NAME: "mv-example",
  SECRET_NAME: "seal-key",
  SECRET_VALUE: "example",
};

export const parametersOf = ({ name }: Target): string => `infra/${name}.bicepparam`;
export const snapshotPathOf = ({ name }: Target): string => `infra/${name}.snapshot.json`;
