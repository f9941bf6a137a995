import { subscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";

/** Names the invocation of a request, where the app takes requests as streams. */
const INVOCATION_HEADER = "x-ms-invocation-id";

/** Responses under way, by invocation. */
const responses = new Map<string, ServerResponse>();

let isListening = false;

/**
 * Collects the responses that pass through this process, so that {@link pacedBody} can wait for them. @azure/functions
 * 4.16 writes a streamed body as fast as it can be read, however slow the caller is (httpProxy.ts, sendProxyResponse):
 * for a slow caller, a whole file would be held in memory.
 */
export const watchResponses = (): void => {
  if (isListening) return;
  isListening = true;
  // Source: nodejs.org/api/diagnostics_channel.html, "HTTP".
  subscribe("http.server.request.start", (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    const id = request.headers[INVOCATION_HEADER];
    if (typeof id !== "string") return;
    responses.set(id, response);
    response.once("close", () => responses.delete(id));
  });
};

/** A body that is read no faster than the caller takes it; unpaced when the response does not pass this process. */
export const pacedBody = (invocationId: string, content: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> => {
  const response = responses.get(invocationId);
  const pieces = content[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        if (response?.writableNeedDrain) await drained(response);
        if (response?.destroyed) {
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

const drained = async (response: ServerResponse): Promise<void> => {
  const over = new AbortController();
  const either = [once(response, "drain", over), once(response, "close", over)];
  await Promise.race(either).finally(() => over.abort());
};
