import type { FaultRule } from "../../local/graph/faults.ts";
import type { Random } from "./random.ts";

export type Rule = Record<string, unknown> & { readonly kind: FaultRule["kind"] };

/**
 * Something that goes wrong between the app and Exchange: the rules that together make it happen, and what it is
 * called.
 */
export interface Trouble {
  readonly name: string;
  readonly rules: readonly Rule[];
}

type Kind = readonly [name: string, rules: (random: Random) => readonly Rule[]];

/** A wait that the longest wave of this suite cannot take, so that the orchestrator has to. */
const LONG_WAIT_SECONDS = 40;

const anImport = (random: Random) => ({ endpoint: "import-item", ...spread(random) });

const spread = (random: Random) => ({ count: random.number(1, 3), after: random.number(0, 15) });

/** The message of a mailbox that was sent too much, as it has been observed. */
const INCOMING_BYTES = {
  kind: "status",
  status: 429,
  code: "ApplicationThrottled",
  message: "Application is over its IncomingBytes limit.",
} as const;

/** What may go wrong while a mailbox is restored: each of these has been seen, or follows from HTTP. */
export const KINDS: readonly [Kind, ...Kind[]] = [
  ["import reset after commit", (random) => [{ kind: "reset", when: "after-commit", ...anImport(random) }]],
  ["import reset before commit", (random) => [{ kind: "reset", when: "before", ...anImport(random) }]],
  ["import reset in its answer", (random) => [{ kind: "reset", when: "mid-answer", ...anImport(random) }]],
  [
    "import timed out after commit",
    (random) => {
      const when = anImport(random);
      const silence = { kind: "slow", delayMs: random.number(1_000, 3_000), ...when } as const;
      return [silence, { kind: "reset", when: "after-commit", ...when }];
    },
  ],
  [
    "import answered after a minute",
    (random) => [{ kind: "slow", delayMs: random.number(61_000, 65_000), ...anImport(random), count: 1 }],
  ],
  [
    "import 5xx before commit",
    (random) => [{ kind: "status", status: random.oneOf([500, 502, 503, 504]), ...anImport(random) }],
  ],
  [
    "import 5xx after commit",
    (random) => [
      { kind: "status", when: "after-commit", status: random.oneOf([500, 502, 503, 504]), ...anImport(random) },
    ],
  ],
  ["import 429", (random) => [{ ...INCOMING_BYTES, retryAfter: 1, ...anImport(random) }]],
  ["import 429 without a time", (random) => [{ ...INCOMING_BYTES, ...anImport(random) }]],
  [
    "import 429 beyond a wave",
    (random) => [{ ...INCOMING_BYTES, retryAfter: LONG_WAIT_SECONDS, ...anImport(random), count: 1 }],
  ],
  ["import 401", (random) => [{ kind: "status", status: 401, ...anImport(random) }]],
  ["import 403", (random) => [{ kind: "status", status: 403, ...anImport(random) }]],
  ["import slow", (random) => [{ kind: "slow", delayMs: random.number(500, 3_000), ...anImport(random) }]],
  ["listing 503", (random) => [{ kind: "status", endpoint: "items", status: 503, retryAfter: 0, ...spread(random) }]],
  [
    "listing reset in its answer",
    (random) => [{ kind: "reset", endpoint: "items", when: "mid-answer", ...spread(random) }],
  ],
  [
    "folder reset after commit",
    (random) => [{ kind: "reset", endpoint: "create-folder", when: "after-commit", ...spread(random) }],
  ],
  [
    "session 503",
    (random) => [
      { kind: "status", endpoint: "import-session", status: 503, retryAfter: 0, ...spread(random), after: 0 },
    ],
  ],
];

/** One to four things that go wrong with one mailbox. */
export const troubleFor = (random: Random, mailbox: string): Trouble[] =>
  Array.from({ length: random.number(1, 4) }, () => {
    const [name, rules] = random.oneOf(KINDS);
    return { name, rules: rules(random).map((rule) => ({ ...rule, mailbox })) };
  });
