import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import type { Log } from "./log.ts";
import { StartError } from "./start-error.ts";
import { readBody, urlOf } from "./triggers/http-messages.ts";

export interface HttpServer {
  readonly url: string;
  /** Ends every connection. */
  close(): Promise<void>;
}

export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Serves on 127.0.0.1; port 0 takes a free one. @throws {StartError} when the port is taken. */
export const serve = async (port: number, handle: NodeHandler, log: Log): Promise<HttpServer> => {
  const server = createServer((request, response) => void answer(handle, request, response, log));
  const { port: taken } = await listen(server, port);
  return {
    url: `http://127.0.0.1:${taken}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** Adapts a handler in the style of fetch. */
export const fetchHandler =
  (handle: (request: Request) => Promise<Response>): NodeHandler =>
  async (incoming, outgoing) => {
    const method = incoming.method ?? "GET";
    const headers = Object.entries(incoming.headersDistinct).flatMap(([name, values = []]) =>
      values.map((value): [string, string] => [name, value]),
    );
    const body = method === "GET" || method === "HEAD" ? null : await readBody(incoming);
    const response = await handle(new Request(urlOf(incoming), { method, headers, body }));

    outgoing.statusCode = response.status;
    response.headers.forEach((value, name) => {
      outgoing.setHeader(name, value);
    });
    if (response.body === null) outgoing.end();
    else await pipeline(Readable.fromWeb(response.body as ReadableStream), outgoing);
  };

/** A failure here is the host's own, or the caller has gone. */
const answer = async (handle: NodeHandler, request: IncomingMessage, response: ServerResponse, log: Log) => {
  try {
    await handle(request, response);
  } catch (error) {
    const level = request.destroyed || response.destroyed ? "debug" : "error";
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    log({ level, category: "Host.Http", message });
    if (response.headersSent) response.destroy();
    else response.writeHead(500).end();
  }
};

const listen = (server: Server, port: number): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      reject(
        taken ? new StartError(`Port ${port} is in use: stop the process that uses it, or give another --port`) : error,
      );
    });
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      if (address !== null && typeof address === "object") resolve(address);
    });
  });
