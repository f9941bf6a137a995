import * as z from "zod";
import type { GraphClient, GraphRequest } from "./graph-client.ts";

/** One page of a collection. The last page of a delta has a `deltaLink`, and every page but the last a `nextLink`. */
export interface Page<T> {
  readonly value: readonly T[];
  readonly nextLink: string | undefined;
  readonly deltaLink: string | undefined;
}

/** Fetches one page. An empty page with a nextLink is legal, and is returned as such. */
export const fetchPage = async <S extends z.ZodType>(
  graph: GraphClient,
  request: GraphRequest,
  element: S,
): Promise<Page<z.output<S>>> => {
  const answer = await graph.json(
    request,
    z.looseObject({
      value: z.array(element),
      "@odata.nextLink": z.string().optional(),
      "@odata.deltaLink": z.string().optional(),
    }),
  );
  return { value: answer.value, nextLink: answer["@odata.nextLink"], deltaLink: answer["@odata.deltaLink"] };
};

/** All elements of a collection, page after page. */
export async function* fetchAll<S extends z.ZodType>(
  graph: GraphClient,
  request: GraphRequest,
  element: S,
): AsyncGenerator<z.output<S>> {
  let target: string | undefined = request.target;
  while (target !== undefined) {
    const page: Page<z.output<S>> = await fetchPage(graph, { ...request, target }, element);
    yield* page.value;
    target = page.nextLink;
  }
}
