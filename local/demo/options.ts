import { parseArgs } from "node:util";
import { DEFAULT_SCALE, PROFILES, type ProfileName } from "../host/profile.ts";
import { StackError } from "../stack/child.ts";

export const USAGE = `Usage: npm run demo -- [--pst FILE...] [--app DIR] [--profile P] [--json] [--verbose]

  --pst FILE...  back up the mailboxes of Outlook data files instead of generated ones
  --app DIR      folder of the built app (this project)
  --profile P    quick, or azure: the Functions host behaves as in Azure, with delays a hundredth as long (quick)
  --scale N      the delays of azure are an N-th as long (100)
  --json         end with one line of JSON
  --verbose      show what the host, the Graph emulator and the storage print`;

export interface DemoOptions {
  readonly pst: readonly string[];
  readonly app: string | undefined;
  readonly profile: ProfileName;
  readonly scale: number;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly help: boolean;
}

/** @throws {StackError} for words that it does not know. Every word after `--pst` that is no option names a file. */
export const readDemoOptions = (args: readonly string[]): DemoOptions => {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        pst: { type: "string", multiple: true, default: [] },
        app: { type: "string" },
        profile: { type: "string", default: "quick" },
        scale: { type: "string", default: String(DEFAULT_SCALE) },
        json: { type: "boolean", default: false },
        verbose: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (positionals.length > 0 && values.pst.length === 0) throw new Error(`Unknown word '${positionals[0]}'`);
    const profile = PROFILES.find((name) => name === values.profile);
    if (profile === undefined) throw new Error(`--profile ${values.profile} is none of ${PROFILES.join(" and ")}`);
    const scale = Number(values.scale);
    if (!(scale > 0)) throw new Error(`--scale ${values.scale} is no factor`);
    return { ...values, app: values.app, profile, scale, pst: [...values.pst, ...positionals] };
  } catch (error) {
    throw new StackError(`${error instanceof Error ? error.message : String(error)}. See npm run demo -- --help`);
  }
};
