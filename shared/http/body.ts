import type { HttpRequest } from "@azure/functions";

/** The JSON of a request's body. An empty body is an empty object; `undefined` when the body is not JSON. */
export const readBody = async (request: HttpRequest): Promise<unknown> => {
  const text = await request.text();
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
