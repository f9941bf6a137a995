import * as z from "zod";
import { type Finding, finding } from "../finding.ts";
import type { Project } from "../project.ts";
import { readYaml } from "../yaml.ts";

const Level = z.enum(["Trace", "Debug", "Information", "Warning", "Error", "Critical", "None"]);
const QUIET = z.literal("Warning", { error: "what it logs below a warning costs more than it tells" });
const Concurrency = z.int().min(1).max(100);

/**
 * The part of host.json that is used. Sources: learn.microsoft.com/azure/azure-functions/functions-host-json and
 * .../durable/durable-functions-bindings (read 2026-11).
 */
const Host = z.strictObject({
  version: z.literal("2.0"),
  functionTimeout: z.string().regex(/^\d\d:\d\d:\d\d$/),
  telemetryMode: z.literal("OpenTelemetry"),
  logging: z.strictObject({
    logLevel: z.record(z.string(), Level),
    // What is exported. The task hub's storage calls would be 345 MB a day of an idle app, seen on the real host.
    OpenTelemetry: z.strictObject({ logLevel: z.strictObject({ "Azure.Core": QUIET, DurableTask: QUIET }) }),
    applicationInsights: z.strictObject({
      samplingSettings: z.strictObject({
        isEnabled: z.boolean(),
        excludedTypes: z.string().regex(/Exception/, { error: "sampling must keep exceptions" }),
      }),
    }),
  }),
  extensionBundle: z.strictObject({
    id: z.literal("Microsoft.Azure.Functions.ExtensionBundle"),
    version: z.literal("[4.*, 5.0.0)"),
  }),
  extensions: z.strictObject({
    http: z.strictObject({ routePrefix: z.literal("api") }),
    durableTask: z.strictObject({
      hubName: z.literal("%TASKHUB_NAME%"),
      storageProvider: z.strictObject({
        type: z.literal("AzureStorage"),
        connectionName: z.literal("AzureWebJobsStorage"),
        partitionCount: z.int().min(1).max(16),
        maxQueuePollingInterval: z.string().regex(/^00:00:0[1-9]$/, { error: "orders would wait: see docs/cost.md" }),
      }),
      maxConcurrentActivityFunctions: Concurrency,
      maxConcurrentOrchestratorFunctions: Concurrency,
      tracing: z.strictObject({
        distributedTracingEnabled: z.boolean(),
        version: z.enum(["None", "V1", "V2"]),
        traceInputsAndOutputs: z.literal(false, { error: "inputs contain personal data and must not be traced" }),
      }),
    }),
  }),
});

/** One command, which works in any shell. */
const Hook = z.strictObject({
  windows: z.strictObject({ shell: z.literal("pwsh"), run: z.string() }),
  posix: z.strictObject({ shell: z.literal("sh"), run: z.string() }),
});

/** Source: learn.microsoft.com/azure/developer/azure-developer-cli/azd-schema (read 2026-11). */
const AzureYaml = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+$/),
  metadata: z.strictObject({ template: z.string() }).optional(),
  infra: z.strictObject({ provider: z.literal("bicep"), path: z.string(), module: z.string() }),
  services: z.record(
    z.string(),
    z.strictObject({
      project: z.literal("package", { error: "azd should deploy the folder package: beside it, it would build anew" }),
      host: z.literal("function"),
      language: z.literal("js"),
      remoteBuild: z.literal(false, { error: "what is shipped cannot be built again" }),
    }),
  ),
  hooks: z.strictObject({
    preprovision: Hook,
    postprovision: Hook,
    prepackage: Hook,
    predeploy: Hook,
    postdeploy: Hook,
  }),
});

/** Checks host.json and azure.yaml: an option with a wrong name would be silently ignored. */
export const checkHost = (project: Project): Finding[] => [
  ...issues("host.json", Host, () => JSON.parse(project.text("host.json"))),
  ...issues("azure.yaml", AzureYaml, () => readYaml(project.text("azure.yaml"))),
  ...checkHooks(project),
];

/** What package.json has of scripts. */
const Package = z.looseObject({ scripts: z.record(z.string(), z.string()) });

/**
 * What hooks run exists, and both shells run the same, however they spell variables. The programs of infra need no
 * package and no new Node.js; the others need the project's, which only `npm run` puts first.
 */
const checkHooks = (project: Project): Finding[] => {
  const path = "azure.yaml";
  const { scripts } = Package.parse(JSON.parse(project.text("package.json")));
  const programs = project.list("infra");
  const lines = [...project.text(path).matchAll(/\brun: (.+?)(?: \})?$/gm)].map(([, line = ""]) => {
    const [, how = "", what = ""] = /^(node|npm run) (\S+)/.exec(line) ?? [];
    return { how, what, line: line.replaceAll(/\$env:|["$]/g, "") };
  });
  const exists = (how: string, what: string): boolean =>
    how === "node" ? programs.includes(what) : how === "npm run" && scripts[what] !== undefined;
  return [
    ...lines
      .filter(({ how, what }) => !exists(how, what))
      .map(({ line }) => finding(path, `neither a program of infra nor a script of package.json: ${line}`)),
    ...lines
      .filter(({ line }) => lines.filter((one) => one.line === line).length % 2 === 1)
      .map(({ line }) => finding(path, `Windows and others should run the same: ${line}`)),
  ];
};

const issues = (path: string, schema: z.ZodType, read: () => unknown): Finding[] => {
  try {
    const { error } = schema.safeParse(read());
    return (error?.issues ?? []).map((issue) => finding(path, `${issue.path.join(".")}: ${issue.message}`));
  } catch (error) {
    if (error instanceof SyntaxError) return [finding(path, error.message)];
    throw error;
  }
};
