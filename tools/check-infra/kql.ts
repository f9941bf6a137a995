import { createRequire } from "node:module";
import { LOG_TABLES } from "./log-tables.ts";

/** The part of Microsoft's parser of Kusto that is used. It is made of C#, and puts itself into the global object. */
interface Kusto {
  readonly Language: {
    readonly KustoCode: { ParseAndAnalyze(text: string, globals: unknown): Analyzed };
    readonly GlobalState: { readonly Default: { WithDatabase(database: unknown): unknown } };
    readonly Symbols: {
      readonly TableSymbol: { From(columns: string): { WithName(name: string): unknown } };
      readonly DatabaseSymbol: { readonly $ctor1: new (name: string, tables: readonly unknown[]) => unknown };
    };
  };
}

interface Analyzed {
  GetDiagnostics(): { readonly Count: number; getItem(index: number): { readonly Message: string } };
}

type Tables = Readonly<Record<string, string>>;
type Analyze = (text: string, tables: Tables) => string[];

let analyze: Analyze | undefined;

/** By query: to parse one takes longer than most rules, and tests of other mistakes leave queries as they are. */
const answers = new Map<string, readonly string[]>();

const load = (): Analyze => {
  const require = createRequire(import.meta.url);
  require("@kusto/language-service-next/bridge.min.js");
  require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");
  const { Language } = (globalThis as unknown as { Kusto: Kusto }).Kusto;
  const { TableSymbol, DatabaseSymbol } = Language.Symbols;
  return (text, tables) => {
    const symbols = Object.entries(tables).map(([name, columns]) => TableSymbol.From(`(${columns})`).WithName(name));
    const globals = Language.GlobalState.Default.WithDatabase(new DatabaseSymbol.$ctor1("workspace", symbols));
    const diagnostics = Language.KustoCode.ParseAndAnalyze(text, globals).GetDiagnostics();
    return Array.from({ length: diagnostics.Count }, (_, index) => diagnostics.getItem(index).Message);
  };
};

/** What is wrong with a query: its grammar, and names and types of columns that its tables do not have. */
export const problemsOfQuery = (text: string): readonly string[] => problems(text, LOG_TABLES);

/**
 * What is wrong with a query before its tables have a row, which they come with. Where they are not there a query must
 * not ask for them but in a fuzzy union; and what else is in the union must have each column.
 */
export const problemsWithoutTables = (text: string): readonly string[] => [
  ...problems(text, {}).filter((problem) => !problem.startsWith("The fuzzy name ")),
  ...problems(text, BARE),
];

const BARE = Object.fromEntries(Object.keys(LOG_TABLES).map((name) => [name, "nothing: string"]));

const problems = (text: string, tables: Tables): readonly string[] => {
  const key = JSON.stringify([text, tables]);
  const known = answers.get(key);
  if (known !== undefined) return known;
  analyze ??= load();
  const found = analyze(text, tables);
  answers.set(key, found);
  return found;
};
