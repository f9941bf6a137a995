import * as z from "zod";
import { readConfig } from "../../../shared/config.ts";
import { type Finding, finding } from "../finding.ts";
import type { Project } from "../project.ts";
import { lastOf, ofType } from "../snapshot.ts";

/** Settings for a machine with the emulators only. In Azure they are refused, or would be a security hole. */
const OF_THE_EMULATORS = /^LOCAL_|^VAULT_CONNECTION_STRING$|^GRAPH_ENDPOINT$/;

/** Any of these names or patterns, as a whole. */
const anyOf = (...names: readonly string[]): RegExp => new RegExp(`^(?:${names.join("|")})$`);

/**
 * Settings that the Functions host reads itself. Source:
 * learn.microsoft.com/azure/azure-functions/functions-app-settings (read 2026-11).
 */
const OF_THE_HOST = anyOf(
  "AzureWebJobsStorage__(credential|clientId|(blob|queue|table)ServiceUri)",
  "APPLICATIONINSIGHTS_(CONNECTION|AUTHENTICATION)_STRING",
  "languageWorkers__node__arguments",
  "MALLOC_ARENA_MAX",
  "AzureFunctionsJobHost__.*",
);

/**
 * Settings that the platform sets itself, and their values. Source:
 * learn.microsoft.com/azure/app-service/reference-app-settings (read 2026-11).
 */
const OF_THE_PLATFORM: Readonly<Record<string, string>> = { WEBSITE_AUTH_ENABLED: "True" };

/**
 * Settings that Flex Consumption refuses, or sets itself. Source:
 * learn.microsoft.com/azure/azure-functions/flex-consumption-plan (read 2026-11).
 */
const NOT_ON_FLEX = anyOf(
  "FUNCTIONS_WORKER_RUNTIME",
  "FUNCTIONS_EXTENSION_VERSION",
  "WEBSITE_.*",
  "SCM_DO_BUILD_DURING_DEPLOYMENT",
  "ENABLE_ORYX_BUILD",
  "linuxFxVersion",
  "AzureWebJobsStorage",
  "AzureWebJobsDashboard",
  "APPINSIGHTS_INSTRUMENTATIONKEY",
);

const Sample = z.looseObject({ Values: z.record(z.string(), z.string()) });

/**
 * Compares the settings of each deployment with those that are read: by the app, which is observed while it reads them;
 * by the host, in `host.json` and in schedules; and by the host itself. Then lets the app read each deployment's
 * settings.
 */
export const checkSettings = (project: Project): Finding[] => {
  const environments = environmentsOf(project);
  const named = settingsNamedForHost(project);
  const wanted = new Set([...settingsReadByApp(), ...named]);
  const set = new Set(environments.flatMap(({ settings }) => Object.keys(settings)));
  return [
    ...environments.flatMap((environment) => checkEnvironment(environment, wanted, named)),
    ...[...wanted]
      .filter((name) => !set.has(name) && !OF_THE_EMULATORS.test(name) && OF_THE_PLATFORM[name] === undefined)
      .map((name) =>
        finding("infra/app.bicep", `the setting ${name} is read, but set in no template and no environment`),
      ),
    ...checkSample(project, wanted),
  ];
};

interface Environment {
  readonly file: string;
  readonly settings: Readonly<Record<string, string>>;
}

const environmentsOf = (project: Project): Environment[] =>
  project.snapshots
    .filter(({ target }) => target.layer === "app" || target.layer === "both")
    .map((snapshot) => {
      const config = ofType(snapshot, "Microsoft.Web/sites/config").find(({ name }) => lastOf(name) === "appsettings");
      return { file: snapshot.file, settings: z.record(z.string(), z.string()).parse(config?.properties ?? {}) };
    });

const checkEnvironment = (
  { file, settings }: Environment,
  wanted: ReadonlySet<string>,
  named: readonly string[],
): Finding[] => {
  const values = Object.values(settings);
  const wrong = Object.keys(settings).flatMap((name) => {
    if (NOT_ON_FLEX.test(name)) return [`${name} is not for Flex Consumption`];
    if (OF_THE_EMULATORS.test(name)) return [`${name} is for the emulators only`];
    // One that another setting names as its value, as one of a connection may, is read through that.
    return wanted.has(name) || OF_THE_HOST.test(name) || values.includes(name)
      ? []
      : [`nobody reads the setting ${name}`];
  });
  for (const name of named)
    if (settings[name] === undefined) wrong.push(`the host asks for ${name}, which this environment does not set`);
  for (const name of ["SEAL_KEY", "NOTIFY_WEBHOOK_URL"])
    if (settings[name] !== undefined && !settings[name].includes("@Microsoft.KeyVault("))
      wrong.push(`${name} is a secret, and should be a reference to the key vault`);
  return [...wrong, ...refusals(settings)].map((what) => finding(file, what));
};

/** The names of the variables that the app reads, set or not. */
export const settingsReadByApp = (): ReadonlySet<string> => {
  const asked = new Set<string>();
  const note = (name: string | symbol): void => {
    if (typeof name === "string" && /^[A-Z][A-Z0-9_]*$/.test(name)) asked.add(name);
  };
  const watched = new Proxy<Record<string, string>>(
    {},
    {
      get: (_, name) => void note(name),
      has: (_, name) => {
        note(name);
        return false;
      },
    },
  );
  try {
    readConfig(watched);
  } catch {
    // By then it has read everything, and complains that required settings are missing.
  }
  return asked;
};

/** `%NAME%` in host.json and in registrations of functions, such as schedules. */
const settingsNamedForHost = (project: Project): string[] =>
  ["host.json", ...project.list("functions").filter((path) => path.endsWith(".ts"))].flatMap((path) =>
    [...project.text(path).matchAll(/"%([A-Z][A-Z0-9_]*)%"/g)].map(([, name]) => name ?? ""),
  );

/** Checks that the sample for Core Tools has only settings that are read, and all that the host needs. */
const checkSample = (project: Project, wanted: ReadonlySet<string>): Finding[] => {
  const file = "local.settings.sample.json";
  const { Values } = Sample.parse(JSON.parse(project.text(file)));
  const ofCoreTools = ["FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"];
  const names = Object.keys(Values);
  return [
    ...names
      .filter((name) => !wanted.has(name) && !ofCoreTools.includes(name) && !OF_THE_HOST.test(name))
      .map((name) => finding(file, `nobody reads the setting ${name}`)),
    ...settingsNamedForHost(project)
      .filter((name) => !names.includes(name))
      .map((name) => finding(file, `the host asks for ${name}, which the sample does not set`)),
  ];
};

/** Lets the app read an environment's settings, with samples for values that only Azure knows. */
const refusals = (settings: Readonly<Record<string, string>>): string[] => {
  const env: Record<string, string> = { ...OF_THE_PLATFORM };
  for (const [name, value] of Object.entries(settings)) env[name] = value.startsWith("[") ? sampleOf(name) : value;
  try {
    readConfig(env);
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
};

const sampleOf = (name: string): string => {
  if (name.endsWith("_CLIENT_ID") || name.endsWith("_TENANT_ID")) return "11111111-1111-4111-8111-111111111111";
  if (name.endsWith("EVENT_SOURCE"))
    return "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/sample";
  if (name === "SEAL_KEY") return Buffer.alloc(32, 1).toString("base64");
  return "https://sample.example/";
};
