
/** An instance that runs on the thread that calls it. */
async function start(module) {
  const { exports } = await WebAssembly.instantiate(module);
  return { exports, memory: exports.memory, base: exports.__heap_base.value, executor: 0, call: (body) => body(), close() {} };
}
