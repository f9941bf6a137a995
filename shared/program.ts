import packageJson from "../package.json" with { type: "json" };

/** The program and its version, as manifests and requests to Graph name it. */
export const PROGRAM = `mailbox-vault/${packageJson.version}`;
