import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BlobServiceClient } from "@azure/storage-blob";
import * as z from "zod";
import type { StartOptions } from "../graph/emulator.ts";
import type { ProfileName } from "../host/profile.ts";
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
  /** The host's profile: `quick` when absent. */
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
  readonly host: Child<z.output<typeof HostReady>>;
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
    const startHost = () =>
      startChild({
        name: "host",
        program: "host/main.ts",
        args: hostArguments(options, {
          app: appDir,
          port: identity.ports.host,
          data: dataOf("host"),
          key: identity.hostKey,
        }),
        env,
        ready: HostReady,
        line: lineOf("host"),
      }).then(watch);
    let host = await startHost();

    return {
      hostUrl: host.ready.url,
      hostKey: identity.hostKey,
      graphUrl: graph.ready.graphUrl,
      storageUrl: storage.ready.url,
      connectionString: storage.ready.connectionString,
      secrets: [identity.backupToken, identity.restoreToken, identity.privacyToken, identity.sealKey],
      get host() {
        return host;
      },
      restartHost: async () => {
        running.splice(running.indexOf(host), 1);
        await host.ended;
        host = await startHost();
      },
      broken,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};

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

const hostArguments = (
  options: StackOptions,
  at: { app: string; port: number; data: string; key: string },
): string[] => [
  ...["--port", String(at.port), "--app", at.app, "--data", at.data, "--master-key", at.key],
  ...[
    "--profile",
    options.profile ?? "quick",
    ...(options.scale === undefined ? [] : ["--scale", String(options.scale)]),
  ],
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
