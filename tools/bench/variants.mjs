// The batches of a model that can be measured.
import { resolve } from "node:path";
import { rewriteBatch } from "./onnx-file.mjs";

/// A variant of a model for each batch: {batch, path, dims, rewritten}, where dims fix every symbolic dimension; or {batch,
/// skipped} with the reason. Fails if a symbolic dimension has no size.
export function planVariants(model, batches, folder) {
  const { path, dims, inputs } = model;
  const given = new Map(dims.map((dim) => dim.split("=")).map(([name, value]) => [name, Number(value)]));
  const first = inputs[0]?.dims[0];
  const symbols = new Set(inputs.flatMap((input) => input.dims).filter((dim) => typeof dim === "string"));
  for (const symbol of symbols)
    if (!given.has(symbol) && symbol !== first)
      throw new Error(`expected a size for the symbolic dimension '${symbol}', as in MODEL.onnx,${symbol || "NAME"}=16`);
  for (const name of given.keys())
    if (!symbols.has(name)) throw new Error(`the model has no symbolic dimension '${name}'`);

  if (typeof first === "string" && !given.has(first))
    return batches.map((batch) => ({ batch, path, dims: [`${first}=${batch}`, ...dims] }));
  const fixed = (typeof first === "string" ? given.get(first) : first) ?? 1;
  const asItIs = { batch: fixed, path, dims };
  const others = batches.filter((batch) => batch !== fixed);
  if (typeof first !== "number" || fixed !== 1) {
    const reason = typeof first === "string" ? `${first}=${fixed} was given` : `the file fixes the first dimension at ${fixed}`;
    return [asItIs, ...others.map((batch) => ({ batch, skipped: reason }))];
  }
  return batches.map((batch) => (batch === 1 ? asItIs : rewritten(asItIs, batch, resolve(folder, `batch${batch}.onnx`))));
}

function rewritten(original, batch, to) {
  try {
    rewriteBatch(original.path, to, batch);
    return { batch, path: to, dims: original.dims, rewritten: original };
  } catch (error) {
    return { batch, skipped: `the file fixes the batch at 1, and ${error.message}` };
  }
}
