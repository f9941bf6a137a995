export { registeredApp } from "../../tools/check-infra/registered-app.ts";
