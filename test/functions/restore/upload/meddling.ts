import {
  createDefaultHttpClient,
  createHttpHeaders,
  type HttpClient,
  type PipelineResponse,
  RestError,
} from "@azure/core-rest-pipeline";
import type * as z from "zod";
import { uploadWave } from "../../../../functions/restore/restore.contract.ts";
import { uploadWaveActivity } from "../../../../functions/restore/upload/upload-wave.activity.ts";
import { importer } from "../../../../shared/graph/import-item.ts";
import type { MailboxGates } from "../../../../shared/graph/mailbox-gate.ts";
import type { Blobs } from "../../../../shared/storage/blobs.ts";
import { aRestoreId, deliver } from "../../kit.ts";
import type { aRestore } from "../a-restore.ts";

export type Kit = Awaited<ReturnType<typeof aRestore>>;

export interface Meddled {
  readonly status: number;
  readonly body?: unknown;
  readonly retryAfter?: number;
}

/** The answer to an import; `undefined` for the emulator's own. `victim`: the number of its item, by its first try. */
export type Meddler = (victim: number) => Meddled | undefined;

/** An HTTP client that answers some imports itself, by their items. Shared by the waves of a restore. */
export const meddlingClient = (meddle: Meddler): HttpClient => {
  const items: string[] = [];
  const real = createDefaultHttpClient();
  return {
    sendRequest: async (request) => {
      const body = await textOf(request.body);
      if (!items.includes(body)) items.push(body);
      const answer = meddle(items.indexOf(body));
      if (answer === undefined) return real.sendRequest({ ...request, body });
      const { status, body: own = "", retryAfter } = answer;
      return {
        request,
        status,
        headers: createHttpHeaders(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
        bodyAsText: typeof own === "string" ? own : JSON.stringify(own),
      } satisfies PipelineResponse;
    },
  };
};

const textOf = async (body: unknown): Promise<string> => {
  let text = "";
  for await (const piece of (body as () => AsyncIterable<Uint8Array>)()) text += String(piece);
  return text;
};

export const unreachable = (): RestError => new RestError("connect ECONNREFUSED", { code: "REQUEST_SEND_ERROR" });

/** Storage that cannot be reached. */
export const awayBlobs = (blobs: Blobs): Blobs =>
  new Proxy(blobs, {
    get: () => async () => {
      throw unreachable();
    },
  });

/** A wave with ports of its own. */
export const uploadWith = (
  kit: Kit,
  session: Parameters<Kit["upload"]>[0],
  ports: {
    readonly work?: Blobs;
    readonly vault?: Blobs;
    readonly ledgers?: Kit["ledgers"];
    readonly httpClient?: HttpClient;
    readonly gates?: MailboxGates;
  },
  overrides: Partial<z.input<typeof uploadWave.input>> = {},
) => {
  const { work = kit.work, vault = kit.vault, ledgers = kit.ledgers, httpClient, gates } = ports;
  const importHosts = [new URL(kit.emulator.importUrl).host];
  return deliver(
    uploadWaveActivity({
      openGraph: kit.openGraph,
      openImporter: importer({ importHosts, userAgent: "test", ...(httpClient && { httpClient }) }),
      importHosts,
      sealer: kit.seals,
      vault,
      work,
      ledgers,
      state: work,
      firstLookMs: 5,
      ...(gates && { gates }),
    }),
    uploadWave,
    {
      ...{ restoreId: aRestoreId, mailbox: kit.mailbox, session, slots: 4 },
      ...{ pending: [{ from: 0, to: 1 }], budgetMs: 600_000, spent: [] },
      ...overrides,
    },
  );
};
