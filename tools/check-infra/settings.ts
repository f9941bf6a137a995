import * as z from "zod";
import { readConfig } from "../../shared/config.ts";
import { type Expression, type Member, textOf, valueAt } from "./bicep/ast.ts";
import { type Finding, finding } from "./finding.ts";
import { deployed, type Project } from "./project.ts";

const APP = "infra/modules/function-app.bicep";

/** Settings that only a machine with the emulators has. In Azure they are refused, or would make a hole. */
const OF_THE_EMULATORS = /^LOCAL_|^VAULT_CONNECTION_STRING$|^GRAPH_ENDPOINT$/;

/** What the Functions host reads by itself. Source: learn.microsoft.com/azure/azure-functions/functions-app-settings (read 2026-11). */
const OF_THE_HOST =
  /^AzureWebJobsStorage__(credential|clientId|(blob|queue|table)ServiceUri)$|^APPLICATIONINSIGHTS_(CONNECTION|AUTHENTICATION)_STRING$|^languageWorkers__node__arguments$|^MALLOC_ARENA_MAX$|^AzureFunctionsJobHost__/;

/** What the platform sets by itself, and how. Source: learn.microsoft.com/azure/app-service/reference-app-settings (read 2026-11). */
const OF_THE_PLATFORM: Readonly<Record<string, string>> = { WEBSITE_AUTH_ENABLED: "True" };

/** What Flex Consumption does not take, or sets by itself. Source: learn.microsoft.com/azure/azure-functions/flex-consumption-plan (read 2026-11). */
const NOT_ON_FLEX =
  /^(FUNCTIONS_WORKER_RUNTIME|FUNCTIONS_EXTENSION_VERSION|WEBSITE_.*|SCM_DO_BUILD_DURING_DEPLOYMENT|ENABLE_ORYX_BUILD|linuxFxVersion|AzureWebJobsStorage|AzureWebJobsDashboard|APPINSIGHTS_INSTRUMENTATIONKEY)$/;

const Sample = z.looseObject({ Values: z.record(z.string(), z.string()) });

/**
 * Settings in the templates against settings that are read: by the app, which is watched while it reads them, by the
 * host in `host.json` and in schedules, and by the host itself. Then the app reads what each environment sets.
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

/** Every member of every object that makes up the app's settings, conditional ones too. */
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

/** Settings whose value is another setting's name are read by that way, such as a connection's. */
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

/** The names that the app asks its environment for, whether they are there or not. */
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
    // It has asked for everything by then, and finds what must be there missing.
  }
  return asked;
};

/** `%NAME%` in host.json and in what the functions register, such as schedules. */
const settingsNamedForHost = (project: Project): string[] =>
  ["host.json", ...project.list("functions").filter((path) => path.endsWith(".ts"))].flatMap((path) =>
    [...project.text(path).matchAll(/"%([A-Z][A-Z0-9_]*)%"/g)].map(([, name]) => name ?? ""),
  );

/** The sample for Core Tools holds what somebody reads there, and what the host asks for. */
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

/** What the host itself looks up has no default: a schedule that is not set is a function that does not start. */
const checkNamed = (
  { file, choices }: Environment,
  derived: ReadonlyMap<string, Member>,
  names: readonly string[],
): Finding[] =>
  names
    .filter((name) => !derived.has(name) && !choices.some(({ key }) => key === name))
    .map((name) => finding(file, undefined, `the host asks for ${name}, which this environment does not set`));

/** Lets the app read what an environment sets, with samples for what only Azure knows. */
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
