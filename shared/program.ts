import packageJson from "../package.json" with { type: "json" };

/** The program and its version, for manifests and for requests to Graph. */
export const PROGRAM = `mailbox-vault/${packageJson.version}`;
