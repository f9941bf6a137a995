/** One line of the benchmark: what is measured, and from where on it is good enough. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly better: "higher" | "lower";
  readonly target?: number;
}

/** What a measurement is given. */
export interface Bench {
  /** The folder of the built app: its host.json, package.json and dist. */
  readonly appDir: string;
  /** Tells whoever waits what is being done. */
  readonly say: (text: string) => void;
  /** Rejects when the benchmark is to end early. */
  readonly interrupted: Promise<never>;
}

/** What measures some rows together; `measure` gives a value for each of them. */
export interface Measurement {
  readonly rows: readonly Row[];
  readonly measure: (bench: Bench) => Promise<ReadonlyMap<Row, number>>;
}
