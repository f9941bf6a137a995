import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { type GraphClient, graph } from "../../../shared/graph/graph-client.ts";
import type { RequestBudget } from "../../../shared/graph/request-budget.ts";

export const TOKEN = "t0k3n-of-the-app";

export interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** One answer of a server that plays a script; the last one is repeated. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** `{origin}` in it is replaced by the server's origin. */
  readonly body?: unknown;
  /** Breaks the connection instead of answering, or in the middle of the body. */
  readonly reset?: "before" | "amid";
  /** Stalls before the headers, or in the middle of the body. */
  readonly hangs?: boolean;
  readonly stalls?: boolean;
}

/** A local server that answers as scripted, and keeps the requests. It stops when the test ends. */
export const aServer = (...answers: readonly Answer[]) =>
  aServerThat((_, asked) => answers[Math.min(asked, answers.length - 1)] ?? {});

/** The same, where the answer follows from the URL and how many requests came before. */
export const aServerThat = async (answers: (url: string, asked: number) => Answer) => {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void answerTo(request, response).catch(() => response.destroy());
  });
  const answerTo = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const answer = answers(request.url ?? "", asked.length);
    const entry = { method: request.method, url: request.url, headers: request.headers, body: "" };
    asked.push(entry);
    for await (const piece of request) entry.body += String(piece);
    const text = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body ?? {});
    const body = text.replaceAll("{origin}", `http://${request.headers.host}`);
    if (answer.hangs) return;
    if (answer.reset === "before") return void request.socket.resetAndDestroy();
    response.writeHead(answer.status ?? 200, { "content-length": Buffer.byteLength(body), ...answer.headers });
    if (answer.stalls) return void response.write(body.slice(0, body.length / 2));
    if (answer.reset === undefined) return void response.end(body);
    response.write(body.slice(0, body.length / 2), () => request.socket.resetAndDestroy());
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { host, origin: `http://${host}`, asked };
};

/** A client of that server, with a deadline in ten minutes and a count of the 429s. */
export const clientOf = (origin: string, budget: Partial<RequestBudget> = {}) => {
  const seen = { throttled: 0 };
  const credential = { getToken: async () => ({ token: TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }) };
  const client: GraphClient = graph({ endpoint: origin, credential, userAgent: "vault/1" })({
    untilMs: Date.now() + 600_000,
    throttled: () => {
      seen.throttled += 1;
    },
    ...budget,
  });
  return { client, seen };
};

/** A server with its script, and a client of it. */
export const aGraph = async (answers: readonly Answer[], budget: Partial<RequestBudget> = {}) => {
  const server = await aServer(...answers);
  return { ...server, ...clientOf(server.origin, budget) };
};
