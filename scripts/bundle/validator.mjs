/** All that durable-functions uses of this library, which is loaded whole otherwise. */
export { default as isURL } from "validator/es/lib/isURL.js";
