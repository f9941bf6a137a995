import { parse, YAMLParseError } from "yaml";

/**
 * Reads YAML as `JSON.parse` reads JSON.
 *
 * @throws {SyntaxError} with one line that says what is wrong, and where.
 */
export const readYaml = (text: string): unknown => {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    // The lines after the first show the passage.
    throw new SyntaxError(error.message.replace(/:\n.*$/s, ""), { cause: error });
  }
};
