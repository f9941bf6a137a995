import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { z } from "zod";
import {
  type AdminContext,
  type AdminOperations,
  adminOperations,
  type HostedUser,
  hostedUser,
  hostSpec,
  type OutlookLoader,
} from "./admin.ts";
import { ADMIN_PREFIX, serveAdmin } from "./admin-http.ts";
import { ALL_ROLES_APP, AppRegistration, registeredApps } from "./auth.ts";
import { createCounters } from "./counters.ts";
import { createFaults, FaultRule } from "./faults.ts";
import { serveGraph } from "./graph-server.ts";
import { serveImport } from "./import-server.ts";
import { MailboxSpec, seedUser, UserSpec } from "./mailbox-spec.ts";
import { createMailboxes, type Hosting } from "./mailboxes.ts";
import { personalDataExports } from "./personal-data/operations.ts";
import type { SeedMailbox } from "./seed.ts";
import { patchSettings, Settings } from "./settings.ts";
import { contentStore } from "./state/content-store.ts";
import { openJournal } from "./state/journal.ts";
import { createThrottle } from "./throttle.ts";
import { tokenSealer } from "./tokens.ts";
import type { World } from "./world.ts";

/** How to start the emulator. Every option has a default. */
export const StartOptions = z.strictObject({
  /** Ports of the Graph and the import origin; 0 takes a free one. */
  port: z.int().nonnegative().default(0),
  importPort: z.int().nonnegative().default(0),
  tenantId: z.string().default("601eaae7-815e-4d2e-9e48-109351d094ab"),
  apps: z.array(AppRegistration).default([ALL_ROLES_APP]),
  mailboxes: z.array(MailboxSpec).default([]),
  users: z.array(UserSpec).default([]),
  groups: z.array(z.strictObject({ id: z.string(), members: z.array(z.string()) })).default([]),
  /** Keeps mailboxes, their changes and imported content across restarts; absent: nothing outlives the emulator. */
  stateDir: z.string().optional(),
  /** Where imported content is kept without a state directory; absent: a temporary folder. */
  contentDir: z.string().optional(),
  settings: Settings.prefault({}),
  faults: z.array(FaultRule).default([]),
});
export type StartOptions = z.input<typeof StartOptions>;

/** What only a caller in the same process can give. */
export interface InProcessOptions {
  readonly loadOutlook?: OutlookLoader;
  /** Milliseconds since 1970; the clock of windows, sessions and dates, but not of latency. */
  readonly now?: () => number;
}

export interface GraphEmulator {
  readonly graphUrl: string;
  readonly importUrl: string;
  readonly admin: AdminOperations;
  /**
   * Hosts a mailbox from anywhere. It is not remembered: host it again at the next start, and its changes are there.
   */
  readonly host: (seed: SeedMailbox, hosting?: Hosting) => HostedUser;
  readonly stop: () => Promise<void>;
}

/** Starts the emulator on 127.0.0.1. */
export const startGraphEmulator = async (
  options: StartOptions = {},
  { loadOutlook, now = Date.now }: InProcessOptions = {},
): Promise<GraphEmulator> => {
  const start = StartOptions.parse(options);
  const { stateDir } = start;
  let settings = start.settings;
  let importOrigin = "";

  const world: World = {
    settings: () => settings,
    now,
    apps: registeredApps(start.apps),
    mailboxes: createMailboxes(start.tenantId, stateDir),
    throttle: createThrottle(() => settings, now),
    faults: createFaults(start.faults),
    counters: createCounters(),
    tokens: tokenSealer(start.tenantId),
    content: await contentStore(stateDir === undefined ? start.contentDir : path.join(stateDir, "content")),
    exports: personalDataExports(() => settings, now, stateDir && path.join(stateDir, "personal-data.jsonl")),
    importOrigin: () => importOrigin,
  };
  const specs = stateDir === undefined ? undefined : openJournal(path.join(stateDir, "mailboxes.jsonl"), MailboxSpec);
  const context: AdminContext = {
    world,
    loadOutlook,
    changeSettings: (patch) => {
      settings = patchSettings(settings, patch);
      return settings;
    },
    remember: (spec) => specs?.journal.append(spec),
  };
  const admin = adminOperations(context);

  for (const user of start.users) world.mailboxes.addUser(seedUser(user));
  for (const group of start.groups) world.mailboxes.setGroup(group.id, group.members);
  const known = new Set<string>();
  for (const spec of [...start.mailboxes, ...(specs?.entries ?? [])]) {
    const { id } = seedUser(spec);
    if (!known.has(id)) await hostSpec(context, spec);
    known.add(id);
  }

  const graph = await listen(start.port, (request, response) =>
    (request.url ?? "").startsWith(ADMIN_PREFIX)
      ? serveAdmin(world, admin, request, response)
      : serveGraph(world, request, response),
  );
  const imports = await listen(start.importPort, (request, response) => serveImport(world, request, response));
  importOrigin = originOf(imports);

  let stopped: Promise<void> | undefined;
  const stop = async () => {
    await Promise.all([close(graph), close(imports)]);
    world.mailboxes.close();
    world.exports.close();
    specs?.journal.close();
    await world.content.dispose();
  };

  return {
    graphUrl: originOf(graph),
    importUrl: importOrigin,
    admin,
    host: (seed, hosting) => hostedUser(world.mailboxes.host(seed, hosting)),
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
};

const originOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const listen = (
  port: number,
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<Server> => {
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 }, (request, response) => {
    handle(request, response).catch((error: unknown) => {
      console.error("The Graph emulator failed on a request:", error);
      response.destroy();
    });
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
};

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
