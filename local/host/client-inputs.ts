import type { BindingInfo, NamedData, WorkerPool } from "./contract.ts";

const isDurableClient = ({ type }: BindingInfo) => /^(?:durableClient|orchestrationClient)$/i.test(type);

/** The data for the `durableClient` inputs of a function with any trigger. */
export const clientInputs = (
  bindings: Readonly<Record<string, BindingInfo>>,
  clientBinding: (binding: BindingInfo) => string,
): NamedData[] =>
  Object.entries(bindings)
    .filter(([, binding]) => isDurableClient(binding))
    .map(([name, binding]) => ({ name, data: { string: clientBinding(binding) } }));

/** A pool that fills the `durableClient` inputs of the functions that it runs. */
export const withClientInputs = (pool: WorkerPool, clientBinding: (binding: BindingInfo) => string): WorkerPool => ({
  size: pool.size,
  functions: () => pool.functions(),
  invoke: async (invocation) => {
    const functions = await pool.functions();
    const bindings = functions.find(({ name }) => name === invocation.functionName)?.bindings ?? {};
    return pool.invoke({ ...invocation, inputs: [...invocation.inputs, ...clientInputs(bindings, clientBinding)] });
  },
});
