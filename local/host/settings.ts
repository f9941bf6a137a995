import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type LogLevel, parseLogLevel } from "./log.ts";
import { StartError } from "./start-error.ts";

/** The app's settings: its environment. */
export type Settings = Readonly<Record<string, string>>;

const LogLevelText = z.string().transform((text, context): LogLevel => {
  const level = parseLogLevel(text);
  if (level !== undefined) return level;
  context.addIssue(`"${text}" is not a log level`);
  return z.NEVER;
});

const FunctionTimeout = z.string().transform((text, context) => {
  const spanMs = parseTimeSpan(text);
  if (spanMs !== undefined) return spanMs;
  if (text === "-1") return undefined;
  context.addIssue(`"${text}" is not a time span such as 00:05:00`);
  return z.NEVER;
});

const Polling = z.string().transform((text, context) => {
  const spanMs = parseTimeSpan(text);
  if (spanMs !== undefined) return spanMs;
  context.addIssue(`"${text}" is not a time span such as 00:00:30`);
  return z.NEVER;
});

/**
 * Limits of one app process. Source:
 * https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-bindings, "host.json settings",
 * Consumption plan (read 2026-11).
 */
const DurableTask = z.object({
  hubName: z.string().default("TestHubName"),
  maxConcurrentActivityFunctions: z.int().positive().default(10),
  maxConcurrentOrchestratorFunctions: z.int().positive().default(5),
  storageProvider: z.object({ maxQueuePollingInterval: Polling.default(30_000) }).prefault({}),
});

const HttpOptions = z.object({ routePrefix: z.string().default("api") });

const HostJson = z.object({
  version: z.literal("2.0"),
  functionTimeout: FunctionTimeout.optional(),
  logging: z.object({ logLevel: z.record(z.string(), LogLevelText).prefault({}) }).prefault({}),
  extensions: z.object({ http: HttpOptions.prefault({}), durableTask: DurableTask.prefault({}) }).prefault({}),
});

/** The part of host.json that this host obeys; `functionTimeout` is in milliseconds, undefined when unlimited. */
export type HostConfig = z.infer<typeof HostJson>;

const LocalSettings = z.object({
  IsEncrypted: z.literal(false).default(false),
  Values: z.record(z.string(), z.string()).default({}),
});

/** @throws {StartError} when host.json is missing or invalid. */
export const readHostConfig = (appDir: string): HostConfig => {
  const path = join(appDir, "host.json");
  const text = readIfThere(path);
  if (text === undefined)
    throw new StartError(`${path} does not exist: --app must name the folder that holds host.json`);
  return parseFile(HostJson, path, text);
};

/** The settings of `local.settings.json`, if it exists, overridden by those of the environment. */
export const readSettings = (appDir: string, environment: Readonly<Record<string, string | undefined>>): Settings => {
  const path = join(appDir, "local.settings.json");
  const text = readIfThere(path);
  const local = text === undefined ? {} : parseFile(LocalSettings, path, text).Values;
  const given = Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return { ...local, ...Object.fromEntries(given) };
};

/**
 * The arguments for the app's processes, as in Azure. Source: `languageWorkers__node__arguments` in
 * https://learn.microsoft.com/azure/azure-functions/functions-reference-node (read 2026-11).
 */
export const workerArguments = (settings: Settings): string[] =>
  (settings["languageWorkers__node__arguments"] ?? "").split(/\s+/).filter((argument) => argument !== "");

/**
 * Replaces each `%NAME%` by the setting of that name.
 * @throws {StartError} when there is no such setting; `where` says where the text comes from.
 */
export const resolveSettings = (text: string, settings: Settings, where: string): string =>
  text.replace(/%([^%]+)%/g, (_, name: string) => {
    const value = settings[name];
    if (value === undefined) throw new StartError(`${where}: %${name}% does not resolve: add the setting ${name}`);
    return value;
  });

/** Milliseconds of a .NET time span, `[d.]hh:mm[:ss]`; undefined for any other text. */
export const parseTimeSpan = (text: string): number | undefined => {
  const match = /^(?:(\d+)\.)?(\d{1,2}):([0-5]?\d)(?::([0-5]?\d)(?:\.\d+)?)?$/.exec(text);
  if (match === null) return undefined;
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return ((((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000;
};

const readIfThere = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
};

const parseFile = <S extends z.ZodType>(schema: S, path: string, text: string): z.output<S> => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new StartError(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new StartError(`${path} is not understood: ${issues.join("; ")}`);
};
