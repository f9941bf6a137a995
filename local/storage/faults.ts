import type { Operation } from "./operation.ts";
import { Fault, type ParsedFault } from "./options.ts";

export interface Faults {
  /** @throws {ZodError} when the fault makes no sense. */
  add(fault: Fault): void;
  clear(): void;
  /** The faults that are still armed, with the count that is left. */
  list(): readonly ParsedFault[];
  /** What is to go wrong with this request; takes it off the fault's count. */
  take(operation: Operation): ParsedFault | undefined;
}

interface Armed {
  fault: ParsedFault;
  left: number;
  /** Grows by the rate with each match and fires at 1: a share without chance, the same in every run. */
  due: number;
}

export const createFaults = (): Faults => {
  let armed: Armed[] = [];
  return {
    add: (input) => {
      const fault = Fault.parse(input);
      armed.push({ fault, left: fault.count ?? Number.POSITIVE_INFINITY, due: 0 });
    },
    clear: () => {
      armed = [];
    },
    list: () => armed.map(({ fault, left }) => (fault.count === undefined ? fault : { ...fault, count: left })),
    take: (operation) => {
      const hit = armed.find((candidate) => matches(candidate.fault, operation) && fires(candidate));
      if (hit === undefined) return undefined;
      hit.left -= 1;
      armed = armed.filter(({ left }) => left > 0);
      return hit.fault;
    },
  };
};

const matches = ({ operation, path }: ParsedFault, request: Operation): boolean =>
  new RegExp(operation ?? "").test(request.name) && new RegExp(path ?? "").test(request.path);

const fires = (candidate: Armed): boolean => {
  candidate.due += candidate.fault.rate;
  if (candidate.due < 1) return false;
  candidate.due -= 1;
  return true;
};
