import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { blobEndpoint, connectionString } from "./account.ts";
import { ADMIN_PREFIX, handleAdmin } from "./admin.ts";
import { startAzurite } from "./azurite.ts";
import type { StorageControls } from "./controls.ts";
import { createCounters } from "./counters.ts";
import { createFaults } from "./faults.ts";
import { createGateway } from "./gateway.ts";
import { openJournal } from "./journal.ts";
import { createNotifier } from "./notifier.ts";
import type { StorageOptions } from "./options.ts";

export interface Storage extends StorageControls {
  readonly url: string;
  readonly port: number;
  readonly connectionString: string;
  readonly blobEndpoint: string;
  /** Ends Azurite after it saved its state. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts Azurite and the gateway in front of it, on 127.0.0.1. Undelivered events survive a restart; counts, faults and
 * dead letters do not.
 */
export const startStorage = async ({ dir, port = 0, inMemory = false, events }: StorageOptions): Promise<Storage> => {
  const azurite = await startAzurite({ dir, inMemory });
  const counters = createCounters();
  const faults = createFaults();
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 });
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const notifier = createNotifier({
    storageUrl: azurite.url,
    journal: openJournal(join(dir, "events")),
    blobEndpoint: () => blobEndpoint(url()),
  });
  const gateway = createGateway({ target: azurite, counters, faults, succeeded: notifier.observe });

  const controls: StorageControls = {
    counts: counters.read,
    resetCounts: counters.reset,
    addFault: faults.add,
    clearFaults: faults.clear,
    faults: faults.list,
    setSubscriptions: notifier.subscribe,
    setDelivery: notifier.setQuirks,
    deadLetters: () => notifier.deadLetters,
    pendingEvents: () => notifier.pending,
  };

  server.on("request", (incoming, outgoing) => {
    if (incoming.url?.startsWith(ADMIN_PREFIX)) void handleAdmin(controls, incoming, outgoing);
    else void gateway.handle(incoming, outgoing);
  });

  const stop = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await notifier.stop();
    gateway.close();
    await azurite.stop();
  };

  try {
    if (events !== undefined) await notifier.subscribe(events);
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...controls,
    url: url(),
    port: Number(new URL(url()).port),
    connectionString: connectionString(url()),
    blobEndpoint: blobEndpoint(url()),
    stop,
  };
};
