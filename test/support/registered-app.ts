import { vi } from "vitest";
import { type App, createApp } from "../../local/host/worker/app.ts";
import { supplyCoreModule } from "../../local/host/worker/core-module.ts";

let registered: Promise<App> | undefined;

/**
 * The app as the worker loads it from its sources, with settings that name nothing real. It registers itself once in a
 * process, which other test files may share.
 */
export const registeredApp = (): Promise<App> => {
  registered ??= register();
  return registered;
};

const register = async (): Promise<App> => {
  vi.stubEnv("SEAL_KEY", Buffer.alloc(32, 7).toString("base64"));
  vi.stubEnv("BACKUP_SCHEDULE", "0 0 1 * * *");
  vi.stubEnv("WEBSITE_AUTH_ENABLED", "True");
  vi.stubEnv("VAULT_BLOB_ENDPOINT", "https://vault.blob.core.windows.net");
  try {
    const app = createApp(() => undefined);
    supplyCoreModule(app);
    await import("../../functions/index.ts");
    return app;
  } finally {
    vi.unstubAllEnvs();
  }
};
