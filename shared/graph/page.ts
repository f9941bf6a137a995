import { createHash } from "node:crypto";
import * as z from "zod";
import { type ItemSet, itemSet } from "../vault/item-set.ts";
import { BrokenAnswerError, isBrokenAnswer } from "./broken-answer.ts";
import type { GraphClient, GraphRequest } from "./graph-client.ts";
import { idOf, type PageProblem, readElement, type TellProblem } from "./read-element.ts";

/** Most tries for a page whose answer is broken. Our own choice. */
const TRIES = 3;

/** Most pages in a row that show no new id. Empty pages are legal, but an answer must end. Our own choice. */
const MAX_IDLE_PAGES = 200;

/** One page of a collection. The last page of a delta has a `deltaLink`, and every page but the last a `nextLink`. */
export interface Page<T> {
  readonly value: readonly T[];
  readonly nextLink: string | undefined;
  readonly deltaLink: string | undefined;
  /** What is odd in its elements. An odd element is in `value` where its id is usable. */
  readonly problems: readonly PageProblem[];
}

const Envelope = z.looseObject({
  value: z.array(z.unknown()),
  "@odata.nextLink": z.string().optional(),
  "@odata.deltaLink": z.string().optional(),
});

type Envelope = z.output<typeof Envelope>;

/** The memory of one listing or delta round, by which an answer without an end is found out. */
export interface Round {
  /** Whether a link is that of the page after the last one that it checked. */
  isNext(link: string): boolean;
  /** Checks the answer to a request for a page. @throws {BrokenAnswerError} when the round cannot end so. */
  check(operation: string, url: string, answer: Envelope): void;
}

export const startRound = (kind: "listing" | "delta"): Round => {
  const asked = new Set<string>();
  let ids: ItemSet | undefined;
  let idlePages = 0;
  let next: string | undefined;

  /** Links may be long, and there is one for each page. Graph may encode the same one in another way. */
  const short = (url: string): string => createHash("sha256").update(decoded(url)).digest("base64url").slice(0, 16);

  return {
    isNext: (link) => link === next,
    check: (operation, url, { value, "@odata.nextLink": nextLink, "@odata.deltaLink": deltaLink }) => {
      const broken = (how: string) => new BrokenAnswerError(`Graph's answer to ${operation} ${how}`);
      if (kind === "delta" && nextLink === undefined && deltaLink === undefined) throw broken("ended without a link");
      asked.add(short(url));
      if (nextLink === undefined || deltaLink !== undefined) return;
      if (!URL.canParse(nextLink, url)) throw broken("named a next page that is no link");
      if (asked.has(short(new URL(nextLink, url).href))) throw broken("named a next page that was asked for before");
      const seen = ids ?? itemSet();
      ids = seen;
      const fresh = value.filter((element) => seen.add({ folderId: "", id: idOf(element) ?? "" }));
      idlePages = fresh.length === 0 ? idlePages + 1 : 0;
      if (idlePages > MAX_IDLE_PAGES) throw broken("does not end");
      next = nextLink;
    },
  };
};

const decoded = (url: string): string => {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
};

/**
 * Fetches one page of a round; without one, of a listing that is not followed further. An empty page with a nextLink is
 * legal, and is returned as such. A broken answer is asked for again a few times.
 *
 * @throws an error that `isBrokenAnswer` knows when it stays broken.
 */
export const fetchPage = async <S extends z.ZodType>(
  graph: GraphClient,
  request: GraphRequest,
  element: S,
  round: Round = startRound("listing"),
): Promise<Page<z.output<S>>> => {
  const answer = await wholeAnswer(graph, request, round);
  const problems: PageProblem[] = [];
  const value: z.output<S>[] = [];
  for (const raw of answer.value) {
    const read = readElement(element, raw, (problem) => problems.push(problem));
    if (read !== undefined) value.push(read);
  }
  return { value, nextLink: answer["@odata.nextLink"], deltaLink: answer["@odata.deltaLink"], problems };
};

const wholeAnswer = async (graph: GraphClient, request: GraphRequest, round: Round): Promise<Envelope> => {
  for (let tries = 1; ; tries += 1) {
    try {
      const answer = await graph.json(request, Envelope);
      round.check(request.operation, new URL(request.target, graph.endpoint).href, answer);
      return answer;
    } catch (error) {
      if (!isBrokenAnswer(error) || tries === TRIES) throw error;
    }
  }
};

/** Fetches one element by its own address. What is odd in it is left out, as in a page, and told. */
export const fetchElement = async <S extends z.ZodType>(
  graph: GraphClient,
  request: GraphRequest,
  element: S,
  tell: TellProblem = () => undefined,
): Promise<z.output<S>> => {
  const read = readElement(element, await graph.json(request, z.unknown()), tell);
  if (read !== undefined) return read;
  throw new BrokenAnswerError(`Graph's answer to ${request.operation} is not of the expected shape`);
};

/** All elements of a collection, page after page. */
export async function* fetchAll<S extends z.ZodType>(
  graph: GraphClient,
  request: GraphRequest,
  element: S,
  tell: TellProblem = () => undefined,
): AsyncGenerator<z.output<S>> {
  const round = startRound("listing");
  let target: string | undefined = request.target;
  while (target !== undefined) {
    const page: Page<z.output<S>> = await fetchPage(graph, { ...request, target }, element, round);
    for (const problem of page.problems) tell(problem);
    yield* page.value;
    target = page.nextLink;
  }
}
