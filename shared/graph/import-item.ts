import { Readable } from "node:stream";
import {
  createDefaultHttpClient,
  createEmptyPipeline,
  createHttpHeaders,
  createPipelineRequest,
  type HttpClient,
  type PipelineResponse,
  proxyPolicy,
  retryPolicy,
  userAgentPolicy,
} from "@azure/core-rest-pipeline";
import * as z from "zod";
import { base64Length, encodeBase64 } from "./base64-encode.ts";
import { answerOf, failureOf, jsonOf } from "./graph-client.ts";
import { assertImportHost } from "./import-session.ts";
import { expectedMailbox } from "./moved-mailbox.ts";
import { type Patience, patientRetry } from "./patience.ts";

const ImportedResource = z.looseObject({ itemId: z.string().min(1), changeKey: z.string().nullish() });

const OPERATION = "POST importItem";

/** 150 MB of body at the slowest rate that Exchange lets in. */
const IMPORT_TIMEOUT_MS = 10 * 60_000;

/** As in the Graph client: time ends the retries, not their number. */
const MOST_TRIES = 100;

/** An item's stream on its way into a folder. `content` is read anew for each try. */
export interface ItemImport {
  readonly folderId: string;
  readonly rawBytes: number;
  content(): AsyncIterable<Uint8Array>;
}

/** Imports items through one session, for one piece of work. */
export interface ItemImporter {
  /**
   * Imports one item as a new one and gives its id. Not idempotent: each call that Exchange takes makes another item, so
   * only what was refused (429) is sent again.
   *
   * @throws {SessionElsewhereError} when another mailbox takes the item; {@link GraphError} for every other answer, and
   * with status 0 for none; whatever `content` throws. In that case, and whenever content is cut short, the body stays
   * incomplete, and Exchange has nothing to take.
   */
  create(item: ItemImport): Promise<string>;
}

/** An item was refused, because its folder lies in another part of the archive, which takes it in a session of its own. */
export class SessionElsewhereError extends Error {
  override readonly name = "SessionElsewhereError";
  readonly mailboxId: string;

  constructor(mailboxId: string) {
    super("The item's folder lies in another mailbox than the import session is for");
    this.mailboxId = mailboxId;
  }
}

export type OpenImporter = (sessionUrl: string, patience: Patience) => ItemImporter;

export const importer =
  (options: {
    readonly importHosts: readonly string[];
    readonly userAgent: string;
    readonly httpClient?: HttpClient;
  }): OpenImporter =>
  (sessionUrl, patience) => {
    assertImportHost(sessionUrl, options.importHosts);
    const httpClient = options.httpClient ?? sharedClient;
    const pipeline = createEmptyPipeline();
    pipeline.addPolicy(proxyPolicy());
    pipeline.addPolicy(userAgentPolicy({ userAgentPrefix: options.userAgent }));
    pipeline.addPolicy(retryPolicy([patientRetry({ ...patience, repeatable: false })], { maxRetries: MOST_TRIES }), {
      phase: "Retry",
    });

    return {
      create: async (item) => {
        const cut = new AbortController();
        const damage: { error?: unknown } = {};
        const head = `{"FolderId":${JSON.stringify(item.folderId)},"Mode":"create","Data":"`;
        const tail = '"}';
        const body = async function* (): AsyncGenerator<string> {
          try {
            yield head;
            yield* encodeBase64(item.content());
            yield tail;
          } catch (error) {
            damage.error = error;
            cut.abort();
          }
        };
        const request = createPipelineRequest({
          url: sessionUrl,
          method: "POST",
          headers: createHttpHeaders({
            "content-type": "application/json",
            "content-length": String(Buffer.byteLength(head) + base64Length(item.rawBytes) + tail.length),
          }),
          body: () => Readable.from(body(), { objectMode: false }),
          abortSignal: cut.signal,
          timeout: IMPORT_TIMEOUT_MS,
          allowInsecureConnection: sessionUrl.startsWith("http:"),
        });
        try {
          const response = await answerOf(OPERATION, () => pipeline.sendRequest(httpClient, request));
          if (response.status < 200 || response.status >= 300) throw refusal(response);
          return ImportedResource.parse(jsonOf(OPERATION, response)).itemId;
        } catch (error) {
          throw "error" in damage ? damage.error : error;
        }
      },
    };
  };

const refusal = (response: PipelineResponse): Error => {
  const mailboxId = response.status === 409 ? expectedMailbox(response.bodyAsText ?? "") : undefined;
  return mailboxId === undefined ? failureOf(OPERATION, response) : new SessionElsewhereError(mailboxId);
};

const sharedClient = createDefaultHttpClient();
