import { CLIENT_PATH, WEBHOOK_PATH } from "./management-urls.ts";

/** The decoded path below the API's; undefined when it cannot be decoded. */
export const segments = (url: URL): string[] | undefined => {
  const base = [WEBHOOK_PATH, CLIENT_PATH].find((prefix) => url.pathname.startsWith(`${prefix}/`));
  const path = base === undefined ? "" : url.pathname.slice(base.length);
  try {
    return path
      .split("/")
      .filter((part) => part !== "")
      .map(decodeURIComponent);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
};

/** The body as JSON text, `null` when it is empty; undefined when it is not JSON. */
export const jsonBody = async (request: Request): Promise<string | undefined> => {
  const text = await request.text();
  if (text === "") return "null";
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
};

/** The reason of a termination as the extension shows it: as JSON if it parses, else as a string. */
export const reasonJson = (query: URLSearchParams): string => {
  const reason = query.get("reason");
  try {
    return JSON.stringify(JSON.parse(reason ?? "null"));
  } catch {
    return JSON.stringify(reason);
  }
};

export const flag = (query: URLSearchParams, name: string, otherwise: boolean): boolean => {
  const text = query.get(name)?.toLowerCase();
  return text === "true" || (text !== "false" && otherwise);
};

export const accepted = async (work: Promise<void>): Promise<Response> => {
  await work;
  return status(202);
};

export const status = (code: number): Response => new Response(null, { status: code });

/** An error in the format of the extension; one with an exception has all of its fields. */
export const problem = (
  code: number,
  message: string,
  exceptionMessage?: string,
  exceptionType = "System.ArgumentException",
): Response => {
  const exception = { ExceptionMessage: exceptionMessage, ExceptionType: exceptionType, StackTrace: "   at …" };
  return Response.json({ Message: message, ...(exceptionMessage === undefined ? {} : exception) }, { status: code });
};

export const badArgument = (message: string): Response =>
  problem(400, "One or more of the arguments submitted is incorrect", message);
