import { parseArgs } from "node:util";
import { z } from "zod";
import { keptFastClock, realClock } from "./clock.ts";
import { GROUPS } from "./contract.ts";
import { type Host, startHost } from "./host.ts";
import { formatLogLine } from "./log.ts";
import { DEFAULT_SCALE, PROFILES, profileOf, WORN_EXIT_CODE } from "./profile.ts";
import { readSettings } from "./settings.ts";
import { StartError } from "./start-error.ts";
import { sharedTimes } from "./turn-times.ts";

const USAGE =
  "Usage: main.ts [--port 7071] [--app .] [--data .data/host] [--clock 1] [--workers 1] [--deliver-twice] " +
  "[--share-times 1] [--profile quick|azure] [--scale 100] [--group all] [--master-key KEY] [--node-flag=…]";

const Arguments = z.object({
  port: z.coerce.number().int().min(0).max(65_535).default(7071),
  app: z.string().default("."),
  data: z.string().default(".data/host"),
  clock: z.coerce.number().positive().default(1),
  workers: z.coerce.number().int().min(1).max(64).default(1),
  "deliver-twice": z.boolean().default(false),
  "share-times": z.coerce.number().int().nonnegative().optional(),
  profile: z.enum(PROFILES).default("quick"),
  scale: z.coerce.number().positive().default(DEFAULT_SCALE),
  group: z.enum(GROUPS).default("all"),
  "master-key": z.string().min(1).optional(),
  "node-flag": z.array(z.string()).default([]),
});

const main = async (): Promise<void> => {
  let host: Host | undefined;
  stopWhenAsked(async () => host?.stop());
  try {
    host = await start();
    console.log(describe(host));
    process.send?.({ ready: true, url: host.url, masterKey: host.masterKey });
    await host.worn;
    await host.stop();
    process.exit(WORN_EXIT_CODE);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    console.error(error.message);
    process.exit(2);
  }
};

const start = async (): Promise<Host> => {
  const { port, app, data, clock, workers, profile, scale, ...options } = readArguments(process.argv.slice(2));
  // In Azure, turns of several instances share milliseconds.
  const seed = options["share-times"] ?? (profile === "azure" ? 1 : undefined);
  return startHost({
    appDir: app,
    port,
    dataDir: data,
    settings: readSettings(app, process.env),
    clock: clock === 1 ? realClock : await keptFastClock(clock, data),
    workers,
    log: (entry) => console.log(formatLogLine(entry, new Date())),
    nodeFlags: options["node-flag"],
    deliverActivitiesTwice: options["deliver-twice"],
    profile: profileOf(profile, scale, clock),
    group: options.group,
    masterKey: options["master-key"],
    turnTime: seed === undefined ? undefined : sharedTimes(seed, clock),
  });
};

const readArguments = (args: string[]): z.infer<typeof Arguments> => {
  try {
    const { values } = parseArgs({
      args,
      options: {
        port: { type: "string" },
        app: { type: "string" },
        data: { type: "string" },
        clock: { type: "string" },
        workers: { type: "string" },
        "deliver-twice": { type: "boolean" },
        "share-times": { type: "string" },
        profile: { type: "string" },
        scale: { type: "string" },
        group: { type: "string" },
        "master-key": { type: "string" },
        "node-flag": { type: "string", multiple: true },
      },
    });
    return Arguments.parse(values);
  } catch (error) {
    if (error instanceof z.ZodError) {
      const [issue] = error.issues;
      throw new StartError(`--${issue?.path.join(".")}: ${issue?.message}. ${USAGE}`);
    }
    throw new StartError(`${error instanceof Error ? error.message : String(error)} ${USAGE}`);
  }
};

/** A second signal does not wait. A process that ends while it starts ends its app's processes too. */
const stopWhenAsked = (stopHost: () => Promise<void>): void => {
  let asked = false;
  const stop = async () => {
    if (asked) process.exit(1);
    asked = true;
    await stopHost();
    process.exit(0);
  };
  process.on("SIGINT", () => void stop());
  process.on("SIGTERM", () => void stop());
  if (process.send !== undefined) process.on("disconnect", () => void stop());
};

const describe = ({ functions, routes, url }: Host): string => {
  const lines = functions.map(({ name, triggerType }) => {
    const route = routes.find(({ functionName }) => functionName === name);
    if (route === undefined) return `\t${name}: ${triggerType}`;
    return `\t${name}: [${route.methods.join(",")}] ${url}/${route.path}`;
  });
  return ["", "Functions:", "", ...lines, ""].join("\n");
};

await main();
