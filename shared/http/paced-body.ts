import { subscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";

/** Names the invocation that a request belongs to, where the app takes requests as streams. */
const INVOCATION_HEADER = "x-ms-invocation-id";

/** Answers under way, by invocation. */
const answers = new Map<string, ServerResponse>();

let isListening = false;

/**
 * Learns of the answers that pass through this process, so that {@link pacedBody} can wait for them. @azure/functions 4.16
 * writes a streamed body as fast as it can be read, whoever takes it (httpProxy.ts, sendProxyResponse): a slow caller would
 * have a whole file held in memory.
 */
export const watchAnswers = (): void => {
  if (isListening) return;
  isListening = true;
  // Source: nodejs.org/api/diagnostics_channel.html, "HTTP".
  subscribe("http.server.request.start", (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    const id = request.headers[INVOCATION_HEADER];
    if (typeof id !== "string") return;
    answers.set(id, response);
    response.once("close", () => answers.delete(id));
  });
};

/** A body that is read no faster than its caller takes it, as far as this process sees the caller. */
export const pacedBody = (invocationId: string, content: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> => {
  const answer = answers.get(invocationId);
  const pieces = content[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        if (answer?.writableNeedDrain) await drained(answer);
        if (answer?.destroyed) {
          await pieces.return?.();
          return controller.error(new Error("The caller went away"));
        }
        const { done, value } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async () => {
        await pieces.return?.();
      },
    },
    { highWaterMark: 0 },
  );
};

const drained = async (answer: ServerResponse): Promise<void> => {
  const over = new AbortController();
  const either = [once(answer, "drain", over), once(answer, "close", over)];
  await Promise.race(either).finally(() => over.abort());
};
