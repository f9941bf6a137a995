/** One row of the benchmark: what is measured, and the target. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly better: "higher" | "lower";
  readonly target?: number;
}

/** The context of a measurement. */
export interface Bench {
  /** The folder of the built app: its host.json, package.json and dist. */
  readonly appDir: string;
  /** Prints what is being done. */
  readonly say: (text: string) => void;
  /** Rejects when the benchmark is to end early. */
  readonly interrupted: Promise<never>;
}

/** Measures some rows together; `measure` returns a value for each of them. */
export interface Measurement {
  readonly rows: readonly Row[];
  readonly measure: (bench: Bench) => Promise<ReadonlyMap<Row, number>>;
}
