import type { IncomingMessage, ServerResponse } from "node:http";
import { GraphFailure } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import { receivedBody, serve } from "./http-exchange.ts";
import { importItem } from "./import-item.ts";
import { readImportSession } from "./import-session.ts";
import type { World } from "./world.ts";

/** Serves the origin of import URLs, where the URL alone is the credential. */
export const serveImport = (world: World, request: IncomingMessage, response: ServerResponse): Promise<void> =>
  serve(world, request, response, () => planImport(world, request));

/** @doc No Authorization header here. @guess It is refused; the emulator records it as a violation too. */
const planImport = (world: World, request: IncomingMessage): Exchange => {
  if (request.headers.authorization !== undefined) {
    world.counters.violation("Authorization header on an import URL");
    throw new GraphFailure(401, "InvalidAuthenticationToken", "An import URL takes no Authorization header.");
  }
  const session = readImportSession(world, new URL(request.url ?? "/", world.importOrigin()));
  if (request.method !== "POST") throw new GraphFailure(405, "MethodNotAllowed", "Only POST is allowed here.");
  const mailbox = world.mailboxes.byId(session.importFor);
  if (mailbox === undefined) throw new GraphFailure(404, "ResourceNotFound", "The mailbox was not found.");
  const { appId } = session;
  const announced = request.headers["content-length"];
  const body = receivedBody(world, request, (bytes) => {
    if (announced === undefined) world.throttle.upload(appId, mailbox.id, bytes);
  });
  return {
    endpoint: "import-item",
    charge: { appId, mailboxId: mailbox.id, bodyBytes: Number(announced ?? 0) },
    run: () => importItem(world, session, mailbox, body),
  };
};
