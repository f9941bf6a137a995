import * as z from "zod";
import { readConfig } from "../../shared/config.ts";
import { type Expression, type Member, textOf, valueAt } from "./bicep/ast.ts";
import { type Finding, finding } from "./finding.ts";
import { deployed, type Project } from "./project.ts";

const APP = "infra/modules/function-app.bicep";

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
 * Compares the settings in the templates with those that are read: by the app, which is observed while it reads them;
 * by the host, in `host.json` and in schedules; and by the host itself. Then lets the app read each environment's
 * settings.
 */
export const checkSettings = (project: Project): Finding[] => {
  const members = settingsOf(project);
  const derived = new Map(members.map((member) => [member.key ?? "", member]));
  const environments = environmentsOf(project);
  const wanted = wantedSettings(project);
  const named = new Set([
    ...derived.keys(),
    ...environments.flatMap(({ choices }) => choices.map(({ key }) => key ?? "")),
  ]);

  const findings: Finding[] = [];
  const checkName = (file: string, member: Member): void => {
    const name = member.key ?? "";
    if (NOT_ON_FLEX.test(name)) findings.push(finding(file, member.at, `${name} is not for Flex Consumption`));
    else if (OF_THE_EMULATORS.test(name)) findings.push(finding(file, member.at, `${name} is for the emulators only`));
    else if (!wanted.has(name) && !OF_THE_HOST.test(name) && !isNamedBy(members, name))
      findings.push(finding(file, member.at, `nobody reads the setting ${name}`));
  };
  for (const member of members) checkName(APP, member);
  for (const { file, choices } of environments) for (const member of choices) checkName(file, member);
  for (const name of wanted)
    if (!named.has(name) && !OF_THE_EMULATORS.test(name) && OF_THE_PLATFORM[name] === undefined)
      findings.push(finding(APP, undefined, `the setting ${name} is read, but set in no template and no environment`));
  findings.push(...checkSample(project, wanted));
  for (const environment of environments)
    findings.push(
      ...checkNamed(environment, derived, settingsNamedForHost(project)),
      ...checkStart(environment, derived),
    );
  return findings;
};

/** Every member of the objects that make up the app's settings, also of conditional ones. */
const settingsOf = (project: Project): Member[] => {
  const settings = deployed(project, "Microsoft.Web/sites/config").find(
    ({ statement }) => textOf(valueAt(statement.body, "name")) === "appsettings",
  );
  const file = project.bicep.find(({ path }) => path === settings?.file);
  const collect = (expression: Expression | undefined): Member[] => {
    switch (expression?.kind) {
      case "object":
        return [...expression.members];
      case "call":
        return expression.args.flatMap(collect);
      case "choice":
        return [...collect(expression.yes), ...collect(expression.no)];
      case "name": {
        const variable = file?.statements.find(({ kind, name }) => kind === "var" && name === expression.name);
        return variable?.kind === "var" ? collect(variable.value) : [];
      }
      default:
        return [];
    }
  };
  return collect(valueAt(settings?.statement.body, "properties"));
};

/**
 * Whether another setting has this one's name as its value, as one of a connection may: then it is read through that.
 */
const isNamedBy = (members: readonly Member[], name: string): boolean =>
  members.some(({ value }) => textOf(value) === name);

interface Environment {
  readonly file: string;
  readonly choices: readonly Member[];
}

const environmentsOf = (project: Project): Environment[] =>
  project.bicep
    .filter(({ path }) => path.endsWith(".bicepparam"))
    .map(({ path: file, statements }) => {
      const settings = statements.find(({ kind, name }) => kind === "param" && name === "settings");
      const value = settings?.kind === "param" ? settings.value : undefined;
      return { file, choices: value?.kind === "object" ? value.members : [] };
    });

const wantedSettings = (project: Project): ReadonlySet<string> =>
  new Set([...settingsReadByApp(), ...settingsNamedForHost(project)]);

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
      .map((name) => finding(file, undefined, `nobody reads the setting ${name}`)),
    ...settingsNamedForHost(project)
      .filter((name) => !names.includes(name))
      .map((name) => finding(file, undefined, `the host asks for ${name}, which the sample does not set`)),
  ];
};

/** Settings that the host resolves have no default: without its schedule, a function does not start. */
const checkNamed = (
  { file, choices }: Environment,
  derived: ReadonlyMap<string, Member>,
  names: readonly string[],
): Finding[] =>
  names
    .filter((name) => !derived.has(name) && !choices.some(({ key }) => key === name))
    .map((name) => finding(file, undefined, `the host asks for ${name}, which this environment does not set`));

/** Lets the app read an environment's settings, with samples for values that only Azure knows. */
const checkStart = ({ file, choices }: Environment, derived: ReadonlyMap<string, Member>): Finding[] => {
  const env: Record<string, string> = { ...OF_THE_PLATFORM };
  for (const [name, { value }] of derived) env[name] = textOf(value) ?? sampleOf(name);
  for (const { key = "", value } of choices) {
    const text = textOf(value);
    if (text === undefined) continue;
    env[key] = text;
  }
  try {
    readConfig(env);
    return [];
  } catch (error) {
    return [finding(file, undefined, error instanceof Error ? error.message : String(error))];
  }
};

const sampleOf = (name: string): string => {
  if (name.endsWith("_CLIENT_ID") || name.endsWith("_TENANT_ID")) return "11111111-1111-4111-8111-111111111111";
  if (name === "EVENT_SOURCE")
    return "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/sample";
  if (name === "SEAL_KEY") return Buffer.alloc(32, 1).toString("base64");
  return "https://sample.example/";
};
