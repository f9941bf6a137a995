import { z } from "zod";
import { badRequest, errorBody, GraphFailure } from "./errors.ts";
import { conduct, type Exchange } from "./exchange.ts";
import { planGraph } from "./graph-endpoint.ts";
import { Throttled } from "./throttle.ts";
import type { GraphRequest, Reply, World } from "./world.ts";

/** @doc Most requests in one batch. */
const MAX_REQUESTS = 20;
/** @doc Requests of one batch that reach Outlook at the same time. */
const AT_ONCE = 4;

const SubRequest = z.object({
  id: z.string().min(1),
  method: z.string(),
  url: z.string().min(1),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.unknown().optional(),
  dependsOn: z.array(z.string()).optional(),
});
type SubRequest = z.infer<typeof SubRequest>;

const BatchBody = z.object({ requests: z.array(SubRequest).min(1) });

interface SubReply {
  readonly id: string;
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

/** POST /$batch. @doc Answers in any order, 424 for what depends on a failure, 400 for more than 20 or doubled ids. */
export const planBatch = (world: World, request: GraphRequest): Exchange => {
  world.apps.authenticate(request.header("authorization"));
  return { endpoint: "batch", run: () => runBatch(world, request) };
};

const runBatch = async (world: World, request: GraphRequest): Promise<Reply> => {
  const body = BatchBody.safeParse(await request.json());
  if (!body.success) throw badRequest("Invalid batch payload format.", "BadRequest");
  const { requests } = body.data;
  if (requests.length > MAX_REQUESTS) {
    throw badRequest(`Number of batch request steps exceeds the maximum value of ${MAX_REQUESTS}.`, "BadRequest");
  }
  if (new Set(requests.map(({ id }) => id.toLowerCase())).size < requests.length) {
    throw badRequest("Request ids of a batch must be unique.", "BadRequest");
  }
  return { status: 200, json: { responses: await answerAll(world, request, requests) } };
};

/** Requests start in their order, once those they depend on are answered. */
const answerAll = async (world: World, outer: GraphRequest, requests: readonly SubRequest[]): Promise<SubReply[]> => {
  const answers: SubReply[] = [];
  const waiting = [...requests];
  const isReady = ({ dependsOn }: SubRequest) => (dependsOn ?? []).every((id) => answers.some((a) => a.id === id));

  while (waiting.length > 0) {
    const wave = waiting.filter(isReady).slice(0, AT_ONCE);
    if (wave.length === 0) throw badRequest("A request of the batch depends on one that is not there.", "BadRequest");
    for (const taken of wave) waiting.splice(waiting.indexOf(taken), 1);
    answers.push(...(await Promise.all(wave.map((sub) => answerOne(world, outer, sub, answers)))));
  }
  return answers.toReversed();
};

const answerOne = async (
  world: World,
  outer: GraphRequest,
  sub: SubRequest,
  answers: readonly SubReply[],
): Promise<SubReply> => {
  const arrival = performance.now();
  try {
    if (answers.some(({ id, status }) => sub.dependsOn?.includes(id) && status >= 400)) {
      throw new GraphFailure(424, "FailedDependency", "A request this one depends on has failed.");
    }
    const bodyBytes = sub.body === undefined ? 0 : Buffer.byteLength(JSON.stringify(sub.body));
    const { reply, finish } = await conduct(world, planGraph(world, subRequest(outer, sub), bodyBytes), arrival);
    try {
      const body = await wholeBody(reply);
      world.counters.answered(reply.status);
      return { id: sub.id, status: reply.status, headers: { ...reply.headers }, ...(body !== undefined && { body }) };
    } finally {
      finish();
    }
  } catch (error) {
    if (!(error instanceof GraphFailure)) throw error;
    world.counters.answered(error.status, error instanceof Throttled ? error.kind : undefined);
    const body = error.shape === "none" ? undefined : errorBody(error, sub.id, sub.id, world.now());
    return { id: sub.id, status: error.status, headers: { ...error.headers }, ...(body !== undefined && { body }) };
  }
};

const subRequest = (outer: GraphRequest, sub: SubRequest): GraphRequest => {
  const version = /^\/(v1\.0|beta)\//.exec(outer.path)?.[1] ?? "v1.0";
  const url = new URL(`${outer.origin}/${version}/${sub.url.replace(/^\//, "")}`);
  const headers = new Map(Object.entries(sub.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    method: sub.method.toUpperCase(),
    origin: outer.origin,
    path: url.pathname,
    query: url.searchParams,
    header: (name) => headers.get(name) ?? (name === "authorization" ? outer.header(name) : undefined),
    json: () => {
      if (sub.body !== undefined && !headers.has("content-type")) {
        return Promise.reject(badRequest("A batch request with a body needs a Content-Type header.", "BadRequest"));
      }
      return Promise.resolve(sub.body);
    },
  };
};

const wholeBody = async (reply: Reply): Promise<unknown> => {
  if (reply.pieces === undefined) return reply.json;
  const texts: string[] = [];
  for await (const text of reply.pieces) texts.push(text);
  return JSON.parse(texts.join(""));
};
