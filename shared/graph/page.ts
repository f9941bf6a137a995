import * as z from "zod";
import { BrokenAnswerError } from "./broken-answer.ts";
import type { GraphClient, GraphRequest } from "./graph-client.ts";
import { type PageProblem, readElement, type TellProblem } from "./read-element.ts";

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

/** Fetches one page. An empty page with a nextLink is legal, and is returned as such. */
export const fetchPage = async <S extends z.ZodType>(
  graph: GraphClient,
  request: GraphRequest,
  element: S,
): Promise<Page<z.output<S>>> => {
  const answer = await graph.json(request, Envelope);
  const problems: PageProblem[] = [];
  const value: z.output<S>[] = [];
  for (const raw of answer.value) {
    const read = readElement(element, raw, (problem) => problems.push(problem));
    if (read !== undefined) value.push(read);
  }
  return { value, nextLink: answer["@odata.nextLink"], deltaLink: answer["@odata.deltaLink"], problems };
};

/** Fetches one element by its own address. What is odd in it is left out, as in a page. */
export const fetchElement = async <S extends z.ZodType>(
  graph: GraphClient,
  request: GraphRequest,
  element: S,
): Promise<z.output<S>> => {
  const read = readElement(element, await graph.json(request, z.unknown()), () => undefined);
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
  let target: string | undefined = request.target;
  while (target !== undefined) {
    const page: Page<z.output<S>> = await fetchPage(graph, { ...request, target }, element);
    for (const problem of page.problems) tell(problem);
    yield* page.value;
    target = page.nextLink;
  }
}
