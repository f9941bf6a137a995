import { requireRole, requireScope } from "./auth.ts";
import { badRequest, GraphFailure } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import { applyMailboxAct } from "./mailbox-acts.ts";
import type { HostedMailbox } from "./mailboxes.ts";
import { oddReply } from "./odd-answers.ts";
import { findRoute } from "./routes.ts";
import type { DirectoryCall, GraphRequest, World } from "./world.ts";

/** Finds what a request asks for, and refuses it when it may not: 401, 404, 405, 403 in this order. */
export const planGraph = (world: World, request: GraphRequest, bodyBytes: number): Exchange => {
  const app = world.apps.authenticate(request.header("authorization"));
  const [, version, path] = /^\/(v1\.0|beta)(\/.*)$/.exec(request.path) ?? [];
  if (path === undefined || (version !== "v1.0" && version !== "beta")) {
    throw badRequest("Invalid version.", "BadRequest");
  }
  const { route, params, methods } = findRoute(request.method, path);
  if (route === undefined || params === undefined) {
    if (methods.length > 0) throw new GraphFailure(405, "MethodNotAllowed", "The method is not allowed here.");
    throw badRequest(`Resource not found for the segment in '${path}'.`, "BadRequest");
  }

  requireRole(app, app.delegated ? (route.delegatedRoles ?? []) : route.roles, route.area);
  const call: DirectoryCall = { world, request, appId: app.appId, delegated: app.delegated ?? false, version, params };
  if (route.area === "directory") return { endpoint: route.name, run: () => route.handle(call) };

  const mailbox = mailboxOf(world, params["mailbox"] ?? "", version);
  requireScope(app, mailbox);
  return {
    endpoint: route.name,
    charge: {
      appId: app.appId,
      mailboxId: mailbox.id,
      bodyBytes: ["POST", "PATCH", "PUT"].includes(request.method) ? bodyBytes : 0,
    },
    run: async () => {
      const mailboxCall = { ...call, mailbox };
      const reply = oddReply(mailboxCall, route.name, await route.handle(mailboxCall));
      for (const act of world.faults.actsMeanwhile(route.name, mailbox.id)) applyMailboxAct(mailbox, world.now(), act);
      return reply;
    },
  };
};

/** @observed What v1.0 says of an archive; @guess its status and code. */
const mailboxOf = (world: World, id: string, version: string): HostedMailbox => {
  const mailbox = world.mailboxes.byId(id);
  if (mailbox === undefined) throw new GraphFailure(404, "ResourceNotFound", "The mailbox was not found.");
  if (mailbox.kind !== "primary" && version === "v1.0") throw badRequest("Operation on Archive mailbox not allowed");
  return mailbox;
};
