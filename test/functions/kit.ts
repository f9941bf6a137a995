import { InvocationContext } from "@azure/functions";
import type { ActivityHandler } from "durable-functions";
import type * as z from "zod";
import { appTranslator } from "../../functions/id-translation/translator.ts";
import type { FaultRule } from "../../local/graph/faults.ts";
import type { MailboxRef } from "../../shared/contracts/mailbox.ts";
import type { ActivityContract } from "../../shared/durable/activity.ts";
import { type Away, isAway, isTold, type Told } from "../../shared/durable/outages.ts";
import { graph } from "../../shared/graph/graph-client.ts";
import { findMailbox } from "../../shared/mailboxes.ts";
import { dutyCredential } from "../../shared/security/credentials.ts";
import { mailboxKey } from "../../shared/vault/mailbox-key.ts";
import { anEmulator, UPN } from "../local/graph/kit.ts";
import { memoryBlobs } from "../shared/storage/memory-blobs.ts";
import { all } from "../shared/vault/samples.ts";

export const aRun = "20261122T010000Z-abc234";
export const aRestoreId = "20261122T093000Z-xyz567";

export const BO = "bo.chen@contoso.example";

type EmulatorOptions = NonNullable<Parameters<typeof anEmulator>[0]>;
type MailboxOptions = Omit<
  Extract<NonNullable<EmulatorOptions["mailboxes"]>[number], { kind: "generated" }>,
  "kind" | "userPrincipalName"
>;

/** One small mailbox in an emulator, with the ports through which activities reach it, a vault and scratch space. */
export const aMailboxInGraph = async (
  mailboxOptions: MailboxOptions = {},
  {
    now = Date.now,
    ...options
  }: Omit<EmulatorOptions, "mailboxes"> & { /** Exchange's clock. */ now?: () => number } = {},
) => {
  const spec = {
    kind: "generated",
    userPrincipalName: UPN,
    items: 30,
    layout: "inbox-only",
    userFolders: 0,
    bytes: { fixed: 500 },
    ...mailboxOptions,
  } as const;
  const kit = await anEmulator({ ...options, mailboxes: [spec] }, { now });
  const { admin, graphUrl } = kit.emulator;
  const [user] = await admin.users({});
  const id = user?.mailboxId ?? "";
  const mailbox: MailboxRef = { key: mailboxKey(id), id, kind: "primary", userId: user?.userId ?? "" };
  const openGraph = graph({
    endpoint: graphUrl,
    credential: dutyCredential({ kind: "local-token", token: "emulator-token" }),
    userAgent: "test",
  });

  const items = async (folder = "inbox") => all(await admin.items({ mailbox: id, folder }));
  const fault = (rule: z.input<typeof FaultRule>) => admin["add-fault"](rule);
  const translator = appTranslator(openGraph);
  return {
    ...kit,
    admin,
    mailbox,
    openGraph,
    translator,
    items,
    fault,
    vault: memoryBlobs(),
    work: memoryBlobs(),
    state: memoryBlobs(),
  };
};

/** A second mailbox in the emulator, empty unless the options say otherwise. */
export const anotherMailbox = async (
  { admin, openGraph, vault }: Awaited<ReturnType<typeof aMailboxInGraph>>,
  options: MailboxOptions = {},
): Promise<MailboxRef> => {
  const fixed = { kind: "generated", userPrincipalName: BO, items: 0, layout: "inbox-only", userFolders: 0 } as const;
  await admin["add-mailbox"]({ ...fixed, ...options });
  const found = await findMailbox(openGraph({ untilMs: Date.now() + 600_000 }), vault, BO);
  if (found === undefined) throw new Error("The second mailbox is not there");
  return found;
};

const overTheWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** Delivers an activity as the host does: everything crosses as JSON. */
export const deliver = async <I extends z.ZodType, O extends z.ZodType>(
  handler: ActivityHandler,
  contract: ActivityContract<I, O>,
  input: z.input<I>,
): Promise<z.output<O>> => {
  const answer = await handler(overTheWire(input), new InvocationContext({ functionName: contract.name }));
  return contract.output.parse(overTheWire(answer));
};

/** Delivers an activity that is not to meet an outage. */
export const deliverWell = async <I extends z.ZodType, O extends z.ZodType>(
  ...delivery: Parameters<typeof deliver<I, O>>
): Promise<Exclude<z.output<O>, Away | Told>> => {
  const answer = await deliver(...delivery);
  if (isAway(answer)) throw new Error(`${delivery[1].name} met an outage`);
  if (isTold(answer)) throw new Error(`${delivery[1].name} was told to stop`);
  return answer as Exclude<z.output<O>, Away | Told>;
};
