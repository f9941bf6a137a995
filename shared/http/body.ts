import type { HttpRequest } from "@azure/functions";

/** The JSON of a request's body: an empty body is an empty object, and what is no JSON is `undefined`. */
export const readBody = async (request: HttpRequest): Promise<unknown> => {
  const text = await request.text();
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
