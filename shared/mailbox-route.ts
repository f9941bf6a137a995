import type { HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import { MailboxKey } from "./contracts/ids.ts";
import type { MailboxRef } from "./contracts/mailbox.ts";
import type { OpenGraph } from "./graph/graph-client.ts";
import type { StartHandler } from "./http/guard.ts";
import type { ReadInput } from "./http/input.ts";
import { problemResponse } from "./http/problem.ts";
import { newStart, type Start } from "./http/start.ts";
import { findMailbox } from "./mailboxes.ts";
import { NOBODY, type Principal } from "./security/principal.ts";
import { type Blobs, UnreadableBlobError } from "./storage/blobs.ts";

/** How long a caller waits for the directory. */
export const DIRECTORY_DEADLINE_MS = 10_000;

/** Where a mailbox is found by its key, or by the id or principal name of its user. */
export interface MailboxSource {
  readonly openGraph: OpenGraph;
  readonly vault: Blobs;
}

/** A request to a route below `mailboxes/{mailbox}`. */
export interface MailboxRequest<I> {
  /** The parsed body or query. */
  readonly input: I;
  readonly request: HttpRequest;
  readonly context: InvocationContext;
  readonly principal: Principal;
  readonly start: Start;
}

type Answer<M, I> = (mailbox: M, asked: MailboxRequest<I>) => HttpResponseInit | Promise<HttpResponseInit>;

/**
 * The handler of a route below `mailboxes/{mailbox}`. 400 for input that does not parse; 404 for a mailbox that is
 * neither in the directory nor in the vault; 500 with the name of the blob when the vault is damaged.
 */
export const mailboxRoute = <I>(source: MailboxSource, read: ReadInput<I>, answer: Answer<MailboxRef, I>) =>
  routeOf((name) => findLive(source, name), "There is no such mailbox.", read, answer);

/**
 * The same for a mailbox in the vault: 404 when the vault has no blob of it. It reads no blob to find the key, so it
 * works for a mailbox whose head is missing or damaged.
 */
export const storedMailboxRoute = <I>(source: MailboxSource, read: ReadInput<I>, answer: Answer<MailboxKey, I>) =>
  routeOf((name) => findStored(source, name), "The mailbox is not in the vault: back it up first.", read, answer);

const routeOf =
  <M, I>(
    find: (name: string) => Promise<M | undefined>,
    missing: string,
    read: ReadInput<I>,
    answer: Answer<M, I>,
  ): StartHandler =>
  async (request, context, principal = NOBODY, start = newStart()) => {
    const parsed = await read(request);
    if ("refusal" in parsed) return parsed.refusal;
    try {
      const mailbox = await find(request.params["mailbox"] ?? "");
      if (mailbox === undefined) return problemResponse(404, "mailbox-not-found", missing);
      return await answer(mailbox, { input: parsed.input, request, context, principal, start });
    } catch (error) {
      if (!(error instanceof UnreadableBlobError)) throw error;
      context.error("The vault is damaged", error);
      return problemResponse(500, "vault-damaged", `The vault is damaged: ${error.message}.`, { blob: error.blob });
    }
  };

const findLive = ({ openGraph, vault }: MailboxSource, name: string): Promise<MailboxRef | undefined> =>
  findMailbox(openGraph({ untilMs: Date.now() + DIRECTORY_DEADLINE_MS }), vault, name);

const findStored = async (source: MailboxSource, name: string): Promise<MailboxKey | undefined> => {
  const key = MailboxKey.safeParse(name).success ? name : (await findLive(source, name))?.key;
  if (key === undefined) return undefined;
  for await (const _ of source.vault.list(`${key}/`)) return key;
  return undefined;
};
