import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type GraphAdmin, graphAdmin } from "../local/stack/admin.ts";
import { type Stack, type StackOptions, startStack } from "../local/stack/stack.ts";
import type { MailboxRef } from "../shared/contracts/mailbox.ts";
import { mailboxKey } from "../shared/vault/mailbox-key.ts";
import { type Invocations, invocationLog } from "./invocations.ts";
import type { Bench } from "./measurement.ts";

/** A stack under measurement, with its mailboxes. */
export interface BenchStack {
  readonly stack: Stack;
  readonly graph: GraphAdmin;
  readonly mailboxes: readonly MailboxRef[];
  readonly invocations: Invocations;
  /** Where the stack keeps its data. */
  readonly dataDir: string;
}

export interface BenchStackOptions {
  readonly mailboxes: NonNullable<StackOptions["graph"]>["mailboxes"];
  readonly latencyMs?: number;
  readonly limits?: Readonly<Record<string, unknown>>;
  readonly appDir?: string;
  readonly workers?: number;
  readonly laneSeconds?: number;
  /** How many times as fast the waits of orchestrations pass. */
  readonly clock?: number;
  /** By how much the app's own waits are shorter. */
  readonly waitDivisor?: number;
}

/** Runs one measurement on a stack of its own, in a folder that is removed afterwards. */
export const withStack = async <T>(
  bench: Bench,
  options: BenchStackOptions,
  use: (stack: BenchStack) => Promise<T>,
): Promise<T> => {
  const dataDir = await mkdtemp(join(tmpdir(), "mailbox-vault-bench-"));
  const invocations = invocationLog();
  const { mailboxes, latencyMs = 0, limits = {}, laneSeconds, clock = 1, waitDivisor } = options;
  let stack: Stack | undefined;
  const starting = startStack({
    dataDir,
    appDir: options.appDir ?? bench.appDir,
    graph: { mailboxes, settings: { latencyMs, limits } },
    workers: options.workers ?? 1,
    clock,
    settings: {
      ...(laneSeconds !== undefined && { LANE_SECONDS: String(laneSeconds) }),
      ...(waitDivisor !== undefined && { LOCAL_WAIT_DIVISOR: String(waitDivisor) }),
    },
    line: (process, text) => {
      if (process === "host") invocations.read(text);
    },
  });
  try {
    stack = await Promise.race([starting, bench.interrupted]);
    const graph = graphAdmin(stack.graphUrl);
    const measured = { stack, graph, mailboxes: await mailboxRefs(graph), invocations, dataDir };
    return await Promise.race([use(measured), stack.broken, bench.interrupted]);
  } finally {
    await (stack ?? (await starting.catch(() => undefined)))?.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
};

const mailboxRefs = async (graph: GraphAdmin): Promise<MailboxRef[]> =>
  (await graph.users()).flatMap(({ userId, mailboxId }) =>
    mailboxId === undefined ? [] : [{ key: mailboxKey(mailboxId), id: mailboxId, kind: "primary" as const, userId }],
  );

/** The mailbox of a stack with only one. */
export const onlyMailbox = ({ mailboxes: [mailbox] }: BenchStack): MailboxRef => {
  if (mailbox === undefined) throw new Error("The emulator hosts no mailbox");
  return mailbox;
};

/** How a script reaches Graph: with the token of the app that exports. */
export const graphPlace = ({ graphUrl, secrets: [token = ""] }: Stack) => ({ graphUrl, token });

/** The same for the app that imports. */
export const importPlace = ({ graphUrl, secrets: [, token = ""] }: Stack) => ({ graphUrl, token });

/** A generated mailbox whose items all have one size. */
export const aMailbox = (name: string, items: number, itemBytes: number, userFolders = 6) =>
  ({
    kind: "generated",
    userPrincipalName: `${name}@contoso.example`,
    items,
    userFolders,
    bytes: { fixed: itemBytes },
  }) as const;
