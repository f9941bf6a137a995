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
import { shortChangeKey } from "./change-key.ts";
import { answerOf, failureOf } from "./graph-client.ts";
import { GraphError, parseJson } from "./graph-error.ts";
import { assertImportHost } from "./import-session.ts";
import { waitAtGate } from "./mailbox-gate.ts";
import { expectedMailbox } from "./moved-mailbox.ts";
import { budgetedRetry, type RequestBudget } from "./request-budget.ts";

const ImportedResource = z.looseObject({ itemId: z.string().min(1), changeKey: z.string().nullish() });

const OPERATION = "POST importItem";

/** Longest time until an answer's last byte: 150 MB of body at the slowest rate that Exchange allows. */
const WHOLE_ANSWER_MS = 10 * 60_000;

/** As in the Graph client: the deadline ends the retries, not their number. */
const MAX_TRIES = 100;

/** An item to import into a folder, as a new item or in place of a live one. Each try reads `content` anew. */
export interface ItemImport {
  readonly folderId: string;
  readonly rawBytes: number;
  /** The live item of that folder that it replaces, and the version that this item must still have. */
  readonly replaces?: { readonly id: string; readonly changeKey: string } | undefined;
  /** Called before each piece of each try's body, the last one too. An error that it throws ends the import. */
  beforeSending?(): void | Promise<void>;
  /** Called when its body is sent again: each try counts against Exchange's limits. */
  sentAgain?(): void;
  content(): AsyncIterable<Uint8Array>;
}

/** An item that Exchange took: its new id and, where the answer has it, the version that it was stored as. */
export interface ImportedItem {
  readonly itemId: string;
  readonly changeKey?: string;
}

/** Imports items through one session, for one piece of work. */
export interface ItemImporter {
  /**
   * Imports one item and returns its id and version. Not idempotent: each call that Exchange accepts makes another
   * item, unless it replaces one. So only a refused request is sent again: after 429, and with the change key of the
   * item to replace in its other form, once, where it may have been refused for that.
   *
   * @throws {SessionElsewhereError} when another mailbox must take the item.
   * @throws {GraphError} for every other answer, also for a success without an id, and with status 0 for none.
   * @throws any error of `content`. The body then stays incomplete, also when the content is too short, so that
   * Exchange imports nothing.
   */
  send(item: ItemImport): Promise<ImportedItem>;
}

/** Exchange refused an item: its folder lies in another part of the archive, which needs its own import session. */
export class SessionElsewhereError extends Error {
  override readonly name = "SessionElsewhereError";
  readonly mailboxId: string;

  constructor(mailboxId: string) {
    super("The item's folder lies in another mailbox than the import session is for");
    this.mailboxId = mailboxId;
  }
}

/** A change key as the documented update has it, or as listings and exports do: whether it takes these is not known. */
type KeyForm = "short" | "long";

const headOf = ({ folderId, replaces }: Pick<ItemImport, "folderId" | "replaces">, form: KeyForm): string => {
  if (replaces === undefined) return headWith({ FolderId: folderId, Mode: "create" });
  const ChangeKey = form === "short" ? shortChangeKey(replaces.changeKey) : replaces.changeKey;
  return headWith({ FolderId: folderId, Mode: "update", ItemId: replaces.id, ChangeKey });
};

const headWith = (place: object): string => `${JSON.stringify(place).slice(0, -1)},"Data":"`;

/** Statuses under which an update may be refused for its change key. Which one it is, is not documented. */
const KEY_REFUSED: readonly number[] = [400, 409, 412];

/** Whether the same update may pass with the change key in its other form. */
const mayBeForm = ({ replaces }: ItemImport, error: unknown): boolean =>
  replaces !== undefined &&
  shortChangeKey(replaces.changeKey) !== replaces.changeKey &&
  error instanceof GraphError &&
  KEY_REFUSED.includes(error.status);

const TAIL = '"}';

/** Bytes of the request's body, which count against Exchange's upload limit. */
export const bodyBytes = (
  item: Pick<ItemImport, "folderId" | "replaces" | "rawBytes">,
  form: KeyForm = "short",
): number => Buffer.byteLength(headOf(item, form)) + base64Length(item.rawBytes) + TAIL.length;

export type OpenImporter = (sessionUrl: string, budget: RequestBudget) => ItemImporter;

export const importer =
  (options: {
    readonly importHosts: readonly string[];
    readonly userAgent: string;
    readonly httpClient?: HttpClient;
    /** Milliseconds until an answer's last byte. */
    readonly wholeAnswerMs?: number;
  }): OpenImporter =>
  (sessionUrl, budget) => {
    assertImportHost(sessionUrl, options.importHosts);
    const { httpClient = sharedClient, wholeAnswerMs = WHOLE_ANSWER_MS } = options;
    const pipeline = createEmptyPipeline();
    pipeline.addPolicy(proxyPolicy());
    pipeline.addPolicy(userAgentPolicy({ userAgentPrefix: options.userAgent }));
    pipeline.addPolicy(retryPolicy([budgetedRetry({ ...budget, repeatable: false })], { maxRetries: MAX_TRIES }), {
      phase: "Retry",
    });
    pipeline.addPolicy(waitAtGate(budget), { afterPhase: "Retry" });

    /** The form of change keys that Exchange has taken last. */
    let form: KeyForm = "short";

    const sendOnce = async (item: ItemImport, as: KeyForm, again: boolean): Promise<ImportedItem> => {
      const cut = new AbortController();
      const damage: { error?: unknown } = {};
      // The first piece of the content is read before a slot is taken, so that no slot waits for it in the first try.
      let prefetched: AsyncIterable<Uint8Array> | undefined = await prefetch(item.content());
      const contentOnce = (): AsyncIterable<Uint8Array> => {
        const content = prefetched ?? item.content();
        if (prefetched === undefined) item.sentAgain?.();
        prefetched = undefined;
        return content;
      };
      const body = async function* (): AsyncGenerator<string> {
        try {
          await item.beforeSending?.();
          yield headOf(item, as);
          for await (const piece of encodeBase64(contentOnce())) {
            await item.beforeSending?.();
            yield piece;
          }
          await item.beforeSending?.();
          yield TAIL;
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
          "content-length": String(bodyBytes(item, as)),
        }),
        body: () => Readable.from(body(), { objectMode: false }),
        abortSignal: cut.signal,
        timeout: wholeAnswerMs,
        allowInsecureConnection: sessionUrl.startsWith("http:"),
      });
      if (again) item.sentAgain?.();
      const release = await budget.slots?.acquire();
      // No try begins after the deadline. The library's own timeout ends with the answer's headers.
      const end = setTimeout(() => cut.abort(), Math.max(0, budget.untilMs - Date.now()) + wholeAnswerMs);
      try {
        const response = await answerOf(OPERATION, () => pipeline.sendRequest(httpClient, request));
        if (response.status < 200 || response.status >= 300) throw refusal(response);
        return importedOf(response);
      } catch (error) {
        throw "error" in damage ? damage.error : error;
      } finally {
        clearTimeout(end);
        release?.();
      }
    };

    return {
      send: async (item) => {
        const first = form;
        try {
          return await sendOnce(item, first, false);
        } catch (error) {
          if (!mayBeForm(item, error)) throw error;
          const other = first === "short" ? "long" : "short";
          const imported = await sendOnce(item, other, true).catch((refused: unknown) => {
            // The first refusal says why, where neither form is taken.
            throw mayBeForm(item, refused) ? error : refused;
          });
          form = other;
          return imported;
        }
      },
    };
  };

/** @throws {GraphError} for a success that holds an error, or nothing: whether the item was imported is not known. */
const importedOf = (response: PipelineResponse): ImportedItem => {
  const imported = ImportedResource.safeParse(parseJson(response.bodyAsText ?? ""));
  if (!imported.success) throw failureOf(OPERATION, response);
  const { itemId, changeKey } = imported.data;
  return { itemId, ...(changeKey ? { changeKey } : {}) };
};

const refusal = (response: PipelineResponse): Error => {
  const mailboxId = response.status === 409 ? expectedMailbox(response.bodyAsText ?? "") : undefined;
  return mailboxId === undefined ? failureOf(OPERATION, response) : new SessionElsewhereError(mailboxId);
};

/** Returns the same stream, with its first piece already read. */
const prefetch = async <T>(source: AsyncIterable<T>): Promise<AsyncIterable<T>> => {
  const pieces = source[Symbol.asyncIterator]();
  const first = await pieces.next();
  return (async function* () {
    if (first.done) return;
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => pieces };
  })();
};

const sharedClient = createDefaultHttpClient();
