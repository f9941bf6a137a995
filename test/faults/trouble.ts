import type { FaultRule } from "../../local/graph/faults.ts";
import type { Random } from "./random.ts";

type Rule = Record<string, unknown> & { readonly kind: FaultRule["kind"] };

/** What may go wrong between the app and Exchange while it restores: each of these has been seen, or follows from HTTP. */
const KINDS: readonly [(random: Random) => Rule, ...((random: Random) => Rule)[]] = [
  (random) => ({ kind: "reset", endpoint: "import-item", when: "after-commit", ...spread(random) }),
  (random) => ({ kind: "reset", endpoint: "import-item", when: "before", ...spread(random) }),
  (random) => ({ kind: "reset", endpoint: "import-item", when: "mid-answer", ...spread(random) }),
  (random) => ({
    kind: "status",
    endpoint: "import-item",
    status: random.oneOf([500, 502, 503, 504]),
    ...spread(random),
  }),
  (random) => ({ kind: "status", endpoint: "import-item", status: 429, retryAfter: 1, ...spread(random) }),
  (random) => ({ kind: "status", endpoint: "import-item", status: random.oneOf([401, 403]), ...spread(random) }),
  (random) => ({ kind: "slow", endpoint: "import-item", delayMs: random.number(500, 3_000), ...spread(random) }),
  (random) => ({ kind: "status", endpoint: "items", status: 503, retryAfter: 0, ...spread(random) }),
  (random) => ({ kind: "reset", endpoint: "items", when: "mid-answer", ...spread(random) }),
  (random) => ({ kind: "status", endpoint: "import-session", status: 503, retryAfter: 0, ...spread(random) }),
];

const spread = (random: Random) => ({ count: random.number(1, 3), after: random.number(0, 15) });

/** One to four things that go wrong with one mailbox. */
export const troubleFor = (random: Random, mailbox: string): Rule[] =>
  Array.from({ length: random.number(1, 4) }, () => ({ ...random.oneOf(KINDS)(random), mailbox }));
