import * as z from "zod";

/** Values separated by commas. */
export const list = (error: string) =>
  z
    .string()
    .transform((text) => text.split(",").map((entry) => entry.trim()))
    .refine((entries) => !entries.includes(""), { error });

export const wholeNumber = (min: number, max: number) => {
  const error = `should be a whole number from ${min} to ${max}`;
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error });
};

export const schedule = (example: string) => {
  const error = `should be a six-field NCRONTAB expression, such as ${example}`;
  return z.string({ error }).regex(/^(\S+\s+){5}\S+$/, { error });
};

/** The resource id of a storage account, as in the events of Event Grid. */
export const STORAGE_ACCOUNT =
  /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.Storage\/storageAccounts\/[a-z0-9]{3,24}$/i;

export const localToken = z.string().min(1, { error: "should be a token that the emulator on this machine takes" });

/** Every hour, between the full ones; and after the night's backups. */
export const COVERAGE_SCHEDULE = "0 30 * * * *";
export const REHEARSAL_SCHEDULE = "0 0 12 * * *";
export const VERIFY_SCHEDULE = "0 0 13 * * *";

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** Packages lie in the vault's account, unless they have one of their own. */
export const endpointsOf = (blobEndpoint: string, packageEndpoint = blobEndpoint) =>
  ({ kind: "endpoint", blobEndpoint, packageEndpoint }) as const;
