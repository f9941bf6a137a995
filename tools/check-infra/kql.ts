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

let analyze: ((text: string) => Analyzed) | undefined;

const load = (): ((text: string) => Analyzed) => {
  const require = createRequire(import.meta.url);
  require("@kusto/language-service-next/bridge.min.js");
  require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");
  const { Language } = (globalThis as unknown as { Kusto: Kusto }).Kusto;
  const { TableSymbol, DatabaseSymbol } = Language.Symbols;
  const tables = Object.entries(LOG_TABLES).map(([name, columns]) => TableSymbol.From(`(${columns})`).WithName(name));
  const globals = Language.GlobalState.Default.WithDatabase(new DatabaseSymbol.$ctor1("workspace", tables));
  return (text) => Language.KustoCode.ParseAndAnalyze(text, globals);
};

/** What is wrong with a query: its grammar, and names and types of columns that its tables do not have. */
export const problemsOfQuery = (text: string): string[] => {
  analyze ??= load();
  const diagnostics = analyze(text).GetDiagnostics();
  return Array.from({ length: diagnostics.Count }, (_, index) => diagnostics.getItem(index).Message);
};
