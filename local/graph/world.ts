import type { Apps } from "./auth.ts";
import type { Counters } from "./counters.ts";
import type { Faults } from "./faults.ts";
import type { HostedMailbox, Mailboxes } from "./mailboxes.ts";
import type { PersonalDataExports } from "./personal-data/operations.ts";
import type { Settings } from "./settings.ts";
import type { ContentStore } from "./state/content-store.ts";
import type { Throttle } from "./throttle.ts";
import type { TokenSealer } from "./tokens.ts";

/** Everything a request can see. */
export interface World {
  readonly settings: () => Settings;
  readonly now: () => number;
  readonly apps: Apps;
  readonly mailboxes: Mailboxes;
  readonly throttle: Throttle;
  readonly faults: Faults;
  readonly counters: Counters;
  readonly tokens: TokenSealer;
  readonly content: ContentStore;
  readonly exports: PersonalDataExports;
  /** Where import URLs lead. */
  readonly importOrigin: () => string;
}

/** A request without its transport: alone on a connection, or one of a batch. */
export interface GraphRequest {
  readonly method: string;
  /** Scheme and authority under which the caller knows the emulator. */
  readonly origin: string;
  /** Path as received, undecoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly header: (name: string) => string | undefined;
  readonly json: () => Promise<unknown>;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A whole body. */
  readonly json?: unknown;
  /** A body that is computed while it is sent. */
  readonly pieces?: AsyncIterable<string>;
}

export interface DirectoryCall {
  readonly world: World;
  readonly request: GraphRequest;
  readonly appId: string;
  /** Whether a signed-in user calls, and not the app by itself. */
  readonly delegated: boolean;
  readonly version: "v1.0" | "beta";
  readonly params: Readonly<Record<string, string>>;
}

export interface MailboxCall extends DirectoryCall {
  readonly mailbox: HostedMailbox;
}

export const paramOf = (call: DirectoryCall, name: string): string => {
  const value = call.params[name];
  if (value === undefined) throw new Error(`The route has no parameter ${name}`);
  return value;
};

/** The `@odata.context` of an answer. */
export const contextUrl = (call: DirectoryCall, fragment: string): string =>
  `${call.request.origin}/${call.version}/$metadata#${fragment}`;

/** The request's own URL with some query options replaced; every option is encoded, `$` included. */
export const urlWith = (request: GraphRequest, options: Readonly<Record<string, string>>): string => {
  const query = new URLSearchParams(request.query);
  for (const name of Object.keys(options)) query.delete(name);
  const pairs = [...query, ...Object.entries(options)];
  const text = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
  return `${request.origin}${request.path}?${text}`;
};
