import { type App, createApp } from "../../local/host/worker/app.ts";
import { supplyCoreModule } from "../../local/host/worker/core-module.ts";

/** Settings that name nothing real. */
const SETTINGS: Readonly<Record<string, string>> = {
  SEAL_KEY: Buffer.alloc(32, 7).toString("base64"),
  BACKUP_SCHEDULE: "0 0 1 * * *",
  WEBSITE_AUTH_ENABLED: "True",
  VAULT_BLOB_ENDPOINT: "https://vault.blob.core.windows.net",
};

let registered: Promise<App> | undefined;

/** The app as the worker loads it from its sources. It registers itself once in a process. */
export const registeredApp = (): Promise<App> => {
  registered ??= register();
  return registered;
};

const register = async (): Promise<App> => {
  const before = { ...process.env };
  Object.assign(process.env, SETTINGS);
  try {
    const app = createApp(() => undefined);
    supplyCoreModule(app);
    await import("../../functions/index.ts");
    return app;
  } finally {
    for (const name of Object.keys(SETTINGS)) {
      const value = before[name];
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  }
};
