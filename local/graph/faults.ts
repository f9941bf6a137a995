import { z } from "zod";
import { hashText } from "./generated-content.ts";
import { MailboxAct } from "./mailbox-acts.ts";
import { Oddity, PageOddity } from "./oddities.ts";

const Match = {
  /** Endpoint names such as `export-items`; `*` stands for any text. */
  endpoint: z.string().default("*"),
  mailbox: z.string().optional(),
  /** How often it strikes; absent for always. */
  count: z.int().positive().optional(),
  /** Matching requests that pass before it strikes. */
  after: z.int().nonnegative().default(0),
  /** The share of matching requests that it strikes. */
  rate: z.number().min(0).max(1).default(1),
};

const ItemMatch = {
  mailbox: z.string().optional(),
  itemIds: z.array(z.string()).optional(),
  /** The share of item ids that it strikes: always the same ones. */
  rate: z.number().min(0).max(1).default(1),
  /** How often it strikes one id; absent for always. */
  count: z.int().positive().optional(),
};

const OddElementRule = z.strictObject({
  kind: z.literal("odd-element"),
  endpoint: Match.endpoint,
  mailbox: z.string().optional(),
  ids: z.array(z.string()).optional(),
  /** The share of elements that it strikes: the same ones for one seed, in every answer. */
  rate: z.number().min(0).max(1).default(1),
  seed: z.string().default(""),
  /** One of those that fit the element is drawn; each element keeps its own. */
  oddities: z
    .array(Oddity)
    .min(1)
    .default([...Oddity.options]),
});

export const FaultRule = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("status"),
    ...Match,
    status: z.int().min(400).max(599),
    code: z.string().default("ServiceUnavailable"),
    message: z.string().default("The service is temporarily unavailable."),
    /** Seconds, or an HTTP date. */
    retryAfter: z.union([z.int().nonnegative(), z.string()]).optional(),
    emptyBody: z.boolean().default(false),
    /**
     * `after-commit`: everything took effect, but this is the answer, as of a gateway that did not wait for the real
     * one.
     */
    when: z.enum(["before", "after-commit"]).default("before"),
  }),
  z.strictObject({
    kind: z.literal("reset"),
    ...Match,
    /** `after-commit`: everything took effect, but no byte of the answer is sent. */
    when: z.enum(["before", "mid-answer", "after-commit"]),
  }),
  z.strictObject({ kind: z.literal("slow"), ...Match, delayMs: z.int().positive() }),
  /** The answer comes when the rule is cleared. What was asked has taken effect by then, as it has with `slow`. */
  z.strictObject({ kind: z.literal("hold"), ...Match }),
  z.strictObject({
    kind: z.literal("export-item"),
    ...ItemMatch,
    outcome: z.enum(["error", "missing"]),
    key: z.enum(["error", "Error"]).default("error"),
    code: z.string().default("ErrorItemCorrupt"),
    message: z.string().default("The item is corrupt."),
  }),
  /** exportItems answers 200 with no items at all. */
  z.strictObject({ kind: z.literal("export-empty"), ...Match }),
  /** An element of a list, of a delta or alone is not what the documents say that it is. */
  OddElementRule,
  /** A page of a list or a delta. */
  z.strictObject({ kind: z.literal("odd-page"), ...Match, oddity: PageOddity }),
  /** A person changes the mailbox just after an answer was made. */
  z.strictObject({ kind: z.literal("meanwhile"), ...Match, act: MailboxAct }),
]);
export type FaultRule = z.infer<typeof FaultRule>;

export type RequestFault =
  | Extract<FaultRule, { kind: "status" | "reset" | "slow" }>
  | { readonly kind: "hold"; readonly released: Promise<void> };
type ExportItemFault = Extract<FaultRule, { kind: "export-item" }>;
type OddElementFault = z.infer<typeof OddElementRule>;

export interface Faults {
  readonly add: (rule: FaultRule) => string;
  readonly list: () => readonly (FaultRule & { readonly id: string; readonly struck: number })[];
  /** Removes one rule, or all. */
  readonly clear: (id?: string) => void;
  /** The faults that strike this request, each counted as having struck. */
  readonly request: (endpoint: string, mailboxId: string | undefined) => readonly RequestFault[];
  readonly exportItem: (mailboxId: string, itemId: string) => ExportItemFault | undefined;
  readonly exportIsEmpty: (mailboxId: string) => boolean;
  readonly oddElement: (endpoint: string, mailboxId: string, id: string) => OddElementFault | undefined;
  readonly oddPage: (endpoint: string, mailboxId: string) => PageOddity | undefined;
  readonly actsMeanwhile: (endpoint: string, mailboxId: string) => readonly MailboxAct[];
}

interface Active {
  readonly id: string;
  readonly rule: FaultRule;
  seen: number;
  struck: number;
  readonly struckIds: Map<string, number>;
  readonly released: Promise<void>;
  readonly release: () => void;
}

type Matched = Exclude<FaultRule, { kind: "export-item" | "odd-element" }>;

const fits = (pattern: string, name: string) =>
  new RegExp(
    `^${pattern
      .split("*")
      .map((part) => part.replace(/[^\w]/g, "\\$&"))
      .join(".*")}$`,
  ).test(name);

/** Fault rules in the order they were added; two runs with the same requests are struck alike. */
export const createFaults = (initial: readonly FaultRule[]): Faults => {
  const active = new Map<string, Active>();
  let serial = 0;

  const add = (rule: FaultRule): string => {
    const id = `fault-${++serial}`;
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    active.set(id, { id, rule, seen: 0, struck: 0, struckIds: new Map(), released, release });
    return id;
  };

  const strikes = (fault: Active, rule: Matched, endpoint: string, mailboxId: string | undefined): boolean => {
    if (!fits(rule.endpoint, endpoint) || (rule.mailbox ?? mailboxId) !== mailboxId) return false;
    fault.seen += 1;
    if (fault.seen <= rule.after || fault.struck >= (rule.count ?? Number.POSITIVE_INFINITY)) return false;
    if (hashText(`${fault.id} ${fault.seen}`) / 2 ** 32 >= rule.rate) return false;
    fault.struck += 1;
    return true;
  };

  const strikesItem = (fault: Active, rule: ExportItemFault, mailboxId: string, itemId: string): boolean => {
    if ((rule.mailbox ?? mailboxId) !== mailboxId) return false;
    if (rule.itemIds !== undefined && !rule.itemIds.includes(itemId)) return false;
    if (hashText(`${fault.id} ${itemId}`) / 2 ** 32 >= rule.rate) return false;
    const before = fault.struckIds.get(itemId) ?? 0;
    if (before >= (rule.count ?? Number.POSITIVE_INFINITY)) return false;
    fault.struckIds.set(itemId, before + 1);
    fault.struck += 1;
    return true;
  };

  const strikesElement = (fault: Active, rule: OddElementFault, endpoint: string, mailboxId: string, id: string) => {
    if (!fits(rule.endpoint, endpoint) || (rule.mailbox ?? mailboxId) !== mailboxId) return false;
    if (rule.ids !== undefined && !rule.ids.includes(id)) return false;
    if (hashText(`${rule.seed} ${id}`) / 2 ** 32 >= rule.rate) return false;
    fault.struck += 1;
    return true;
  };

  for (const rule of initial) add(rule);
  return {
    add,
    list: () => [...active.values()].map(({ id, rule, struck }) => ({ ...rule, id, struck })),
    clear: (id) => {
      for (const one of id === undefined ? [...active.keys()] : [id]) {
        active.get(one)?.release();
        active.delete(one);
      }
    },
    request: (endpoint, mailboxId) =>
      [...active.values()].flatMap((fault) => {
        const { rule } = fault;
        if (rule.kind !== "status" && rule.kind !== "reset" && rule.kind !== "slow" && rule.kind !== "hold") return [];
        if (!strikes(fault, rule, endpoint, mailboxId)) return [];
        return [rule.kind === "hold" ? { kind: rule.kind, released: fault.released } : rule];
      }),
    exportItem: (mailboxId, itemId) => {
      for (const fault of active.values()) {
        if (fault.rule.kind === "export-item" && strikesItem(fault, fault.rule, mailboxId, itemId)) return fault.rule;
      }
      return undefined;
    },
    exportIsEmpty: (mailboxId) =>
      [...active.values()].some(
        (fault) => fault.rule.kind === "export-empty" && strikes(fault, fault.rule, "export-items", mailboxId),
      ),
    oddElement: (endpoint, mailboxId, id) => {
      for (const fault of active.values()) {
        const { rule } = fault;
        if (rule.kind === "odd-element" && strikesElement(fault, rule, endpoint, mailboxId, id)) return rule;
      }
      return undefined;
    },
    oddPage: (endpoint, mailboxId) => {
      for (const fault of active.values()) {
        const { rule } = fault;
        if (rule.kind === "odd-page" && strikes(fault, rule, endpoint, mailboxId)) return rule.oddity;
      }
      return undefined;
    },
    actsMeanwhile: (endpoint, mailboxId) =>
      [...active.values()].flatMap((fault) => {
        const { rule } = fault;
        return rule.kind === "meanwhile" && strikes(fault, rule, endpoint, mailboxId) ? [rule.act] : [];
      }),
  };
};
