
// Threads: workers with instances of the module on one memory. A loop of the model is a task function and its context; the
// executor of rt_abi.h posts it in words of the memory, from which all threads, the caller's included, take parts of it.

/** Words of the control block; the first two are the executor. */
const PARALLEL_FOR = 0, THREADS = 1, LEFT = 2, DONE = 3, POSTED = 4, SLEEPING = 5, STOPPED = 6, FAILED = 7, TASK = 8, CONTEXT = 9,
      COUNT = 10, PART = 11, PARTS = 12;
const controlBytes = 64;
/** How often a worker looks for work before it sleeps, from which to wake takes longer than most loops. */
const spins = 20000;
const workerName = `lathe ${signature.name}`;
const isNode = Boolean(globalThis.process?.versions?.node);

/** Runs parts of the posted loop until none is left. LEFT is positive only while what else is posted is valid. */
function work({ words, table }) {
  for (let left; (left = Atomics.sub(words, LEFT, 1)) > 0;) {
    const begin = (words[PARTS] - left) * words[PART], end = Math.min(begin + words[PART], words[COUNT]);
    try {
      table.get(words[TASK])(words[CONTEXT], BigInt(begin), BigInt(end));
    } catch (error) {
      words[FAILED] = 1;
      throw error;
    } finally {
      Atomics.add(words, DONE, 1);
    }
  }
}

/** The executor's parallel_for: posts a loop, takes part in it and waits for the others. It never sleeps, as a page's thread may not. */
function parallelFor(thread, task, context, count) {
  const { words } = thread;
  words[TASK] = task;
  words[CONTEXT] = context;
  words[COUNT] = Number(count);
  words[PART] = Math.ceil(words[COUNT] / (words[THREADS] * 4));
  words[PARTS] = Math.ceil(words[COUNT] / words[PART]);
  const parts = words[PARTS];
  Atomics.store(words, DONE, 0);
  Atomics.store(words, LEFT, parts);
  Atomics.add(words, POSTED, 1);
  if (Atomics.load(words, SLEEPING) > 0)
    Atomics.notify(words, POSTED);
  try {
    work(thread);
  } finally {
    const unclaimed = Math.max(Atomics.exchange(words, LEFT, 0), 0);
    Atomics.add(words, DONE, unclaimed);
    while (Atomics.load(words, DONE) < parts);
  }
  if (words[FAILED])
    throw new Error('a thread of the model failed');
}

/** Serves loops until the model is closed. */
function serve(thread) {
  const { words } = thread;
  for (;;) {
    try {
      work(thread);
    } catch {
      // The caller finds FAILED.
    }
    for (let i = 0; i < spins && Atomics.load(words, LEFT) <= 0; ++i);
    const posted = Atomics.load(words, POSTED);
    Atomics.add(words, SLEEPING, 1);
    if (Atomics.load(words, LEFT) <= 0 && !Atomics.load(words, STOPPED))
      Atomics.wait(words, POSTED, posted);
    Atomics.sub(words, SLEEPING, 1);
    if (Atomics.load(words, STOPPED))
      return;
  }
}

/** An instance with a stack that ends at `stack`; the first one has the module's own. */
async function openThread(module, memory, control, stack) {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  if (stack)
    exports.__stack_pointer.value = stack;
  return { exports, table: exports.__indirect_function_table, words: new Int32Array(memory.buffer, control, controlBytes / 4) };
}

async function onStart({ module, memory, control, stack }, port) {
  const thread = await openThread(module, memory, control, stack);
  port.postMessage('ready');
  serve(thread);
  if (isNode)
    port.close();
  else
    globalThis.close();
}

/** A worker that runs this file; resolves when it serves. */
async function startWorker(message) {
  const file = new URL(import.meta.url);
  if (isNode) {
    const { Worker } = await import('node:worker_threads');
    const worker = new Worker(file, { workerData: workerName });
    return new Promise((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', () => {
        worker.unref();
        resolve(worker);
      });
      worker.postMessage(message);
    });
  }
  const worker = new Worker(file, { type: 'module', name: workerName });
  return new Promise((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(`a worker did not start: ${event.message ?? 'the script cannot be loaded'}`));
    worker.onmessage = () => resolve(worker);
    worker.postMessage(message);
  });
}

/** A function of WebAssembly that calls `body`: only such go to a table. It has the type of parallel_for. */
function toTableFunction(body) {
  const module = new WebAssembly.Module(Uint8Array.of(
    0, 97, 115, 109, 1, 0, 0, 0,                  // header
    1, 8, 1, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7e, 0,  // (i32, i32, i32, i64) -> ()
    2, 7, 1, 1, 0x65, 1, 0x66, 0, 0,              // import "e" "f"
    7, 5, 1, 1, 0x66, 0, 0));                     // export "f"
  return new WebAssembly.Instance(module, { e: { f: body } }).exports.f;
}

async function countProcessors() {
  return globalThis.navigator?.hardwareConcurrency ?? (isNode ? (await import('node:os')).availableParallelism() : 1);
}

async function start(module, { threads }) {
  const { memoryPages, maximumPages, stackBytes } = signature.threads;
  threads ??= await countProcessors();
  if (!Number.isInteger(threads) || threads < 1)
    throw new RangeError(`expected threads to be 1 or more, but got ${threads}`);
  if (threads > 1 && globalThis.crossOriginIsolated === false)
    throw new Error('threads need a page that is cross-origin isolated: see Cross-Origin-Opener-Policy and -Embedder-Policy');
  const memory = new WebAssembly.Memory({ initial: memoryPages, maximum: maximumPages, shared: true });
  const { exports, table } = await openThread(module, memory, 0);
  const control = align(exports.__heap_base.value, alignment), stacks = control + controlBytes;
  const base = stacks + (threads - 1) * stackBytes;
  const missing = Math.ceil((base - memory.buffer.byteLength) / pageBytes);
  if (missing > 0)
    memory.grow(missing);
  const main = { table, words: new Int32Array(memory.buffer, control, controlBytes / 4) };
  main.words[PARALLEL_FOR] = table.grow(1);
  main.words[THREADS] = threads;
  table.set(main.words[PARALLEL_FOR], toTableFunction((self, task, context, count) => parallelFor(main, task, context, count)));
  const close = () => {
    Atomics.store(main.words, STOPPED, 1);
    Atomics.add(main.words, POSTED, 1);
    Atomics.notify(main.words, POSTED);
  };
  try {
    await Promise.all(Array.from({ length: threads - 1 }, (_, i) =>
      startWorker({ module, memory, control, stack: stacks + (i + 1) * stackBytes })));
  } catch (error) {
    close();
    throw error;
  }
  // What is thrown through frames of the module leaves its stack as it was there.
  const call = (body) => {
    const stack = exports.__stack_pointer.value;
    main.words[FAILED] = 0;
    try {
      return body();
    } finally {
      exports.__stack_pointer.value = stack;
    }
  };
  return { exports, memory, base, executor: threads > 1 ? control : 0, call, close };
}

if (isNode) {
  const { parentPort, workerData } = await import('node:worker_threads');
  if (workerData === workerName)
    parentPort.once('message', (message) => onStart(message, parentPort));
} else if (typeof WorkerGlobalScope !== 'undefined' && globalThis.name === workerName) {
  globalThis.onmessage = ({ data }) => onStart(data, globalThis);
}
