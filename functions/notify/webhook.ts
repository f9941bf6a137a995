import {
  createDefaultHttpClient,
  createEmptyPipeline,
  createHttpHeaders,
  createPipelineRequest,
  type HttpClient,
  isRestError,
  proxyPolicy,
  type RetryStrategy,
  retryPolicy,
  userAgentPolicy,
} from "@azure/core-rest-pipeline";
import type { Webhook } from "../../shared/config.ts";
import { retryAfterMs } from "../../shared/graph/retry-after.ts";
import { messageOf } from "./message.ts";
import type { Notice } from "./notify.contract.ts";

/** Posts one notice and returns what came of it. No result and no error has the webhook's URL in it. */
export type PostNotice = (notice: Notice) => Promise<"sent" | "refused" | "unanswered">;

/** Retries of a notice that was certainly not taken. */
const MAX_RETRIES = 5;

/** First wait when the webhook names none, doubled each time; Teams takes four messages a second. Our own choice. */
const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 60_000;

const ANSWER_TIMEOUT_MS = 30_000;

/** Statuses that mean that a webhook has not taken a message. */
const NOT_TAKEN: readonly number[] = [429, 503];

/** Failures of a connection that came before anything was sent. */
const NOT_CONNECTED: readonly string[] = ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"];

/**
 * Posts only a notice again that was certainly not taken. One that is sent twice would be worse than one that is lost:
 * what it is about can be looked up.
 */
const certainRetry = (firstWaitMs: number): RetryStrategy => ({
  name: "certainRetry",
  retry: ({ retryCount, response, responseError }) => {
    const isCertain =
      response === undefined ? NOT_CONNECTED.includes(responseError?.code ?? "") : NOT_TAKEN.includes(response.status);
    if (!isCertain) return { skipStrategy: true };
    const asked = retryAfterMs(response?.headers.get("retry-after"), Date.now());
    return { retryAfterInMs: Math.min(MAX_WAIT_MS, asked ?? firstWaitMs * 2 ** retryCount) };
  },
});

export const webhook = (
  { url, format }: Webhook,
  {
    userAgent,
    httpClient = createDefaultHttpClient(),
    firstWaitMs = FIRST_WAIT_MS,
  }: { readonly userAgent: string; readonly httpClient?: HttpClient; readonly firstWaitMs?: number },
): PostNotice => {
  const pipeline = createEmptyPipeline();
  pipeline.addPolicy(proxyPolicy());
  pipeline.addPolicy(userAgentPolicy({ userAgentPrefix: userAgent }));
  pipeline.addPolicy(retryPolicy([certainRetry(firstWaitMs)], { maxRetries: MAX_RETRIES }), { phase: "Retry" });

  return async (notice) => {
    const request = createPipelineRequest({
      url,
      method: "POST",
      headers: createHttpHeaders({ "content-type": "application/json" }),
      body: JSON.stringify(messageOf(format, notice)),
      timeout: ANSWER_TIMEOUT_MS,
      allowInsecureConnection: url.startsWith("http:"),
    });
    try {
      const { status } = await pipeline.sendRequest(httpClient, request);
      return status >= 200 && status < 300 ? "sent" : "refused";
    } catch (error) {
      if (isRestError(error) || (error instanceof Error && error.name === "AbortError")) return "unanswered";
      throw error;
    }
  };
};
