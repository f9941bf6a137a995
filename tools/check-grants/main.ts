import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import * as z from "zod";
import { DUTIES, ExchangeAssignments, GraphAssignments, judgeGrants } from "./excess.ts";

/**
 * Prints the rights that an identity holds beyond its duty, and those that it lacks. Exit code 1 when it holds too
 * much, 2 for a usage error. check-grants.sh fetches the files.
 */
const Options = z.object({ duty: z.enum(DUTIES), graph: z.string(), exchange: z.string(), roles: z.string() });
const Roles = z.looseObject({ appRoles: z.array(z.looseObject({ id: z.string(), value: z.string().nullable() })) });

const json = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));

const { values } = parseArgs({
  options: {
    duty: { type: "string" },
    graph: { type: "string" },
    exchange: { type: "string" },
    roles: { type: "string" },
  },
});
const options = Options.safeParse(values);
if (!options.success) {
  console.error("usage: main.ts --duty backup|restore|privacy --graph FILE --exchange FILE --roles FILE");
  process.exit(2);
}
const { duty, graph, exchange, roles } = options.data;
const names = new Map(Roles.parse(json(roles)).appRoles.map(({ id, value }) => [id, value ?? id]));
const { tooMuch, missing } = judgeGrants(
  duty,
  {
    graph: GraphAssignments.parse(json(graph)).value.map(({ appRoleId }) => appRoleId),
    exchange: ExchangeAssignments.parse(json(exchange)),
  },
  names,
);
for (const line of tooMuch) console.log(`too much: ${line}`);
for (const line of missing) console.log(`missing:  ${line}`);
if (tooMuch.length + missing.length === 0) console.log(`${duty} holds what it needs, and no more.`);
process.exitCode = tooMuch.length > 0 ? 1 : 0;
