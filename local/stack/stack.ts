import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { BlobServiceClient } from "@azure/storage-blob";
import * as z from "zod";
import type { StartOptions } from "../graph/emulator.ts";
import type { Group } from "../host/contract.ts";
import { DEFAULT_SCALE, type ProfileName, profileOf, WORN_EXIT_CODE } from "../host/profile.ts";
import { type Child, StackError, startChild } from "./child.ts";
import { readIdentity } from "./identity.ts";

const HostReady = z.looseObject({ url: z.url() });
const GraphReady = z.looseObject({ graphUrl: z.url(), importUrl: z.url() });
const StorageReady = z.looseObject({ url: z.url(), connectionString: z.string() });

export interface StackOptions {
  /** Everything that outlives the processes is kept here. */
  readonly dataDir: string;
  /** The folder of the app: its host.json, package.json and dist; this project when absent. */
  readonly appDir?: string | undefined;
  /** Port of the Functions host; the one of the last start, or a free one, when absent. */
  readonly port?: number | undefined;
  readonly graph?: Pick<StartOptions, "mailboxes" | "users" | "settings" | "faults">;
  /** Settings of the app beside those that the stack makes. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether blobs end with the stack, which then needs less processor time. */
  readonly blobsInMemory?: boolean;
  /** Whether the storage tells the app of snapshots, as Event Grid would; of personal data it always does. */
  readonly events?: boolean;
  /**
   * The host's profile: `quick` when absent. With `azure`, there are two hosts, as functions scale in groups there: one
   * for HTTP, timers and events, and one for orchestrations, which gets its orders by polling.
   */
  readonly profile?: ProfileName;
  /** By how much the delays of the profile `azure` are shortened. */
  readonly scale?: number;
  readonly clock?: number;
  readonly workers?: number;
  readonly deliverTwice?: boolean;
  /** Seed by which turns of several instances share milliseconds, 1 when absent; false: they do so by chance alone. */
  readonly shareTimes?: number | false;
  /** Flags for the app's own processes, such as a heap limit. */
  readonly nodeFlags?: readonly string[];
  /** Takes every line of every process, with the name of the process. */
  readonly line?: (process: string, line: string) => void;
}

/** The whole product on this machine: storage, Graph, and the Functions host that runs the app. */
export interface Stack {
  readonly hostUrl: string;
  /** Its master key. */
  readonly hostKey: string;
  readonly graphUrl: string;
  readonly storageUrl: string;
  readonly connectionString: string;
  /** Values that must appear in no history, log or blob. */
  readonly secrets: readonly string[];
  /** The host that runs orchestrations. */
  readonly host: HostChild;
  /** Starts the host again after it ended or was killed, on the same port and data. */
  restartHost(): Promise<void>;
  /** Rejects when a process ends that was not asked to. */
  readonly broken: Promise<never>;
  /** Stops every process; safe to call twice. */
  stop(): Promise<void>;
}

const THIS_APP = fileURLToPath(new URL("../../", import.meta.url));

/** Least privilege, as in Azure: the app that exports cannot import. */
const BACKUP_ROLES = ["MailboxFolder.Read.All", "MailboxItem.Read.All", "MailboxItem.Export.All", "User.Read.All"];
const RESTORE_ROLES = [
  "MailboxFolder.ReadWrite.All",
  "MailboxItem.Read.All",
  "MailboxItem.ImportExport.All",
  "User.Read.All",
];

const PRIVACY_ROLES = ["User.Export.All", "User.Read.All"];

/**
 * Starts storage and Graph, then the host. Ports, tokens and the seal key are those of the first start in this folder,
 * since links and sessions that a job keeps name them.
 *
 * @throws {StackError} with one line when a part cannot start; the others are stopped before.
 */
export const startStack = async (options: StackOptions): Promise<Stack> => {
  const { appDir = THIS_APP } = options;
  if (!existsSync(join(appDir, "dist/main.mjs")))
    throw new StackError("The app is not built: run `npm run build` first");
  const identity = await readIdentity(options.dataDir, options.port);
  const running: Child<unknown>[] = [];
  let stopping = false;
  let reportBroken: (error: StackError) => void = () => undefined;
  const broken = new Promise<never>((_, reject) => {
    reportBroken = reject;
  });
  broken.catch(() => undefined);

  const watch = <T>(child: Child<T>): Child<T> => {
    running.push(child);
    void child.ended.then(() => {
      if (!stopping && running.includes(child)) reportBroken(new StackError(`${child.name} ended by itself`));
    });
    return child;
  };
  const stop = async (): Promise<void> => {
    stopping = true;
    for (const child of running.splice(0).toReversed()) await child.stop();
  };
  const lineOf = (name: string) => (text: string) => options.line?.(name, text);
  const dataOf = (name: string): string => join(options.dataDir, name);

  try {
    const starting = [
      startChild({
        name: "storage",
        program: "storage/main.ts",
        args: [
          ...["--dir", dataOf("storage"), "--port", String(identity.ports.storage)],
          ...(options.blobsInMemory ? ["--in-memory"] : []),
          ...subscriptionArguments(identity, options),
        ],
        ready: StorageReady,
        line: lineOf("storage"),
      }).then(watch),
      startChild({
        name: "graph",
        program: "graph/main.ts",
        args: [],
        env: { GRAPH_EMULATOR_OPTIONS: JSON.stringify(graphOptions(options, identity, dataOf("graph"))) },
        ready: GraphReady,
        line: lineOf("graph"),
      }).then(watch),
    ] as const;
    // One that fails must not leave the other behind, started after everything was stopped.
    await Promise.allSettled(starting);
    const [storage, graph] = await Promise.all(starting);
    await createContainers(storage.ready.connectionString);

    const env = {
      TASKHUB_NAME: "MailboxVault",
      GRAPH_ENDPOINT: graph.ready.graphUrl,
      IMPORT_HOSTS: new URL(graph.ready.importUrl).host,
      LOCAL_BACKUP_TOKEN: identity.backupToken,
      LOCAL_RESTORE_TOKEN: identity.restoreToken,
      LOCAL_PRIVACY_TOKEN: identity.privacyToken,
      VAULT_CONNECTION_STRING: storage.ready.connectionString,
      SEAL_KEY: identity.sealKey,
      AUTHENTICATION: "none",
      BACKUP_SCHEDULE: "0 0 1 * * *",
      languageWorkers__node__arguments: "--max-semi-space-size=2 --max-old-space-size=512",
      MALLOC_ARENA_MAX: "2",
      ...options.settings,
    };
    const { profile = "quick", scale } = options;
    const { recycle } = profileOf(profile, scale).delays;
    const { ports, hostKey } = identity;
    /** The platform starts another host for one whose app died too often. */
    const keepHost = async (name: string, group: Group, port: number, started: (host: HostChild) => void) => {
      const at = { app: appDir, port, data: dataOf("host"), key: hostKey, group };
      const child = await startChild({
        name,
        program: "host/main.ts",
        args: hostArguments(options, at),
        env,
        ready: HostReady,
        line: lineOf(name),
      });
      running.push(child);
      started(child);
      void child.ended.then(async (code) => {
        if (stopping || !running.includes(child)) return;
        if (code !== WORN_EXIT_CODE) return reportBroken(new StackError(`${name} ended by itself`));
        running.splice(running.indexOf(child), 1);
        await delay(recycle);
        if (!stopping) await keepHost(name, group, port, started).catch(reportBroken);
      });
      return child;
    };
    const [group, port] = profile === "azure" ? (["durable", 0] as const) : (["all", ports.host] as const);
    let host: HostChild | undefined;
    const startHost = () =>
      keepHost("host", group, port, (started) => {
        host = started;
      });
    await startHost();
    const workHost = (): HostChild => {
      if (host === undefined) throw new StackError("There is no host");
      return host;
    };
    if (group === "durable") await keepHost("clients", "clients", ports.host, () => undefined);

    return {
      hostUrl: `http://127.0.0.1:${ports.host}`,
      hostKey: identity.hostKey,
      graphUrl: graph.ready.graphUrl,
      storageUrl: storage.ready.url,
      connectionString: storage.ready.connectionString,
      secrets: [identity.backupToken, identity.restoreToken, identity.privacyToken, identity.sealKey],
      get host() {
        return workHost();
      },
      restartHost: async () => {
        running.splice(running.indexOf(workHost()), 1);
        await workHost().ended;
        await startHost();
      },
      broken,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};

type HostChild = Child<z.output<typeof HostReady>>;
type Identity = Awaited<ReturnType<typeof readIdentity>>;

const graphOptions = ({ graph, settings }: StackOptions, identity: Identity, stateDir: string): StartOptions => ({
  ...graph,
  port: identity.ports.graph,
  importPort: identity.ports.imports,
  apps: [
    { appId: "00000000-0000-4000-8000-00000000000b", token: identity.backupToken, roles: BACKUP_ROLES },
    { appId: "00000000-0000-4000-8000-00000000000e", token: identity.restoreToken, roles: restoreRoles(settings) },
    { appId: "00000000-0000-4000-8000-00000000000d", token: identity.privacyToken, roles: PRIVACY_ROLES },
  ],
  stateDir,
});

/** With the right to delete items where a setting says that it was granted. */
const restoreRoles = (settings: StackOptions["settings"]): string[] =>
  settings?.["RESTORE_UNDO_ITEMS"] === "true" ? [...RESTORE_ROLES, "MailboxItem.ReadWrite.All"] : RESTORE_ROLES;

interface HostPlace {
  readonly app: string;
  readonly port: number;
  readonly data: string;
  readonly key: string;
  readonly group: Group;
}

const hostArguments = (options: StackOptions, { app, port, data, key, group }: HostPlace): string[] => [
  ...["--port", String(port), "--app", app, "--data", data, "--master-key", key, "--group", group],
  ...["--profile", options.profile ?? "quick", "--scale", String(options.scale ?? DEFAULT_SCALE)],
  ...["--clock", String(options.clock ?? 1), "--workers", String(options.workers ?? 1)],
  ...(options.deliverTwice ? ["--deliver-twice"] : []),
  ...(options.shareTimes === false ? [] : ["--share-times", String(options.shareTimes ?? 1)]),
  ...(options.nodeFlags ?? []).map((flag) => `--node-flag=${flag}`),
];

/** What of the storage's events goes to which function; in Azure, infrastructure says so. */
const SNAPSHOT_WRITTEN = {
  functionName: "snapshot-written",
  includedEventTypes: ["Microsoft.Storage.BlobCreated"],
  subjectBeginsWith: "/blobServices/default/containers/vault/blobs/",
  subjectEndsWith: ".manifest.json",
};
const PERSONAL_DATA_WRITTEN = {
  functionName: "personal-data-written",
  includedEventTypes: ["Microsoft.Storage.BlobCreated"],
  subjectBeginsWith: "/blobServices/default/containers/dsr-",
};

const subscriptionArguments = ({ ports, hostKey }: Identity, { events = false }: StackOptions): string[] => [
  ...["--host-url", `http://127.0.0.1:${ports.host}`, "--host-key", hostKey],
  ...["--subscriptions", JSON.stringify([PERSONAL_DATA_WRITTEN, ...(events ? [SNAPSHOT_WRITTEN] : [])])],
];

/** In Azure, infrastructure makes them. */
const createContainers = async (connectionString: string): Promise<void> => {
  const service = BlobServiceClient.fromConnectionString(connectionString);
  for (const name of ["vault", "work", "audit", "state"]) await service.getContainerClient(name).createIfNotExists();
};
