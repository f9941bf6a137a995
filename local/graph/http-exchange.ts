import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { badRequest, ConnectionReset, errorBody, GraphFailure } from "./errors.ts";
import { conduct, type Exchange } from "./exchange.ts";
import { Throttled } from "./throttle.ts";
import type { Reply, World } from "./world.ts";

const JSON_TYPE = "application/json; odata.metadata=minimal; charset=utf-8";
const MAX_BODY_BYTES = 8 * 1024 * 1024;

const DIAGNOSTIC = JSON.stringify({
  ServerInfo: { DataCenter: "Local", Slice: "E", Ring: "0", ScaleUnit: "000", RoleInstance: "EMULATOR" },
});

interface Correlation {
  readonly requestId: string;
  readonly clientRequestId: string;
}

/** Serves one HTTP request: `plan` finds the endpoint or throws why it may not be used. */
export const serve = async (
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
  plan: () => Exchange,
): Promise<void> => {
  const arrival = performance.now();
  const ids = correlate(request, response, world.now());
  try {
    const exchange = plan();
    if (exchange.charge !== undefined) response.once("close", world.counters.awaited(exchange.charge.mailboxId));
    const { reply, cut, finish } = await conduct(world, exchange, arrival);
    try {
      world.counters.answered(reply.status);
      await send(world, response, reply, cut);
    } finally {
      finish();
    }
  } catch (error) {
    if (error instanceof ConnectionReset) return resetConnection(response);
    if (request.errored !== null || response.destroyed) return;
    if (response.headersSent) {
      response.destroy();
      throw error;
    }
    await drain(world, request);
    await sendFailure(world, response, error, ids);
  }
};

/** @doc Every answer carries these. */
const correlate = (request: IncomingMessage, response: ServerResponse, now: number): Correlation => {
  const requestId = randomUUID();
  const given = request.headers["client-request-id"];
  const clientRequestId = typeof given === "string" && given !== "" ? given : requestId;
  response.setHeader("request-id", requestId);
  response.setHeader("client-request-id", clientRequestId);
  response.setHeader("x-ms-ags-diagnostic", DIAGNOSTIC);
  response.setHeader("date", new Date(now).toUTCString());
  return { requestId, clientRequestId };
};

const send = async (world: World, response: ServerResponse, reply: Reply, cut: boolean): Promise<void> => {
  if (reply.pieces !== undefined) return sendPieces(world, response, reply, reply.pieces, cut);
  const body = reply.json === undefined ? undefined : Buffer.from(JSON.stringify(reply.json));
  response.writeHead(reply.status, {
    ...(body && { "content-type": JSON_TYPE, "content-length": String(body.length) }),
    ...reply.headers,
  });
  if (cut) return breakOff(response, body?.subarray(0, body.length >> 1) ?? "");
  world.counters.sent(body?.length ?? 0);
  await end(response, body);
};

const sendPieces = async (
  world: World,
  response: ServerResponse,
  reply: Reply,
  pieces: AsyncIterable<string>,
  cut: boolean,
): Promise<void> => {
  response.writeHead(reply.status, { ...reply.headers });
  for await (const piece of pieces) {
    if (response.destroyed) return;
    const text = cut ? piece.slice(0, piece.length >> 1) : piece;
    world.counters.sent(text.length);
    if (cut) return breakOff(response, text);
    if (!response.write(text, "latin1")) await eitherEvent(response, "drain", "close");
  }
  await end(response);
};

const eitherEvent = (emitter: ServerResponse, one: string, other: string): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      emitter.off(one, done).off(other, done);
      resolve();
    };
    emitter.on(one, done).on(other, done);
  });

/** Resolves when the last byte has gone out, or the caller has. */
const end = async (response: ServerResponse, body?: Buffer): Promise<void> => {
  if (response.destroyed) return;
  const sent = eitherEvent(response, "finish", "close");
  response.end(body);
  await sent;
};

/** Resets the connection when the beginning of the answer has gone out: what is still buffered would never arrive. */
const breakOff = async (response: ServerResponse, beginning: string | Buffer): Promise<void> => {
  await new Promise<unknown>((resolve) => {
    response.once("close", resolve).write(beginning, "latin1", resolve);
  });
  resetConnection(response);
};

const resetConnection = (response: ServerResponse): void => {
  response.socket?.resetAndDestroy();
};

/** A request's body as it arrives. Whoever stops reading leaves the connection as it is. */
export async function* receivedBody(
  world: World,
  request: IncomingMessage,
  onBytes: (bytes: number) => void = () => {},
): AsyncGenerator<Buffer> {
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const bytes = chunk as Buffer;
    world.counters.received(bytes.length);
    onBytes(bytes.length);
    yield bytes;
  }
}

/** Takes the rest of a body that nobody wants, so that the caller gets to read the answer. */
const drain = async (world: World, request: IncomingMessage): Promise<void> => {
  if (request.readableEnded) return;
  for await (const _ of receivedBody(world, request));
};

const sendFailure = async (world: World, response: ServerResponse, error: unknown, ids: Correlation): Promise<void> => {
  const isKnown = error instanceof GraphFailure;
  const failure = isKnown ? error : new GraphFailure(500, "InternalServerError", "The emulator failed.");
  world.counters.answered(failure.status, error instanceof Throttled ? error.kind : undefined);
  const body =
    failure.shape === "none"
      ? undefined
      : Buffer.from(JSON.stringify(errorBody(failure, ids.requestId, ids.clientRequestId, world.now())));
  response.writeHead(failure.status, {
    ...(body && { "content-type": "application/json", "content-length": String(body.length) }),
    ...failure.headers,
  });
  world.counters.sent(body?.length ?? 0);
  await end(response, body);
  if (!isKnown) throw error;
};

/** A whole JSON body; undefined when it is empty. */
export const readJson = async (world: World, request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of receivedBody(world, request)) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw badRequest("The body is too large.", "BadRequest");
    chunks.push(chunk);
  }
  if (length === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw badRequest("The body is not JSON.", "BadRequest");
  }
};
