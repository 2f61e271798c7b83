// The page of docs/examples/web in headless Chromium: characters drawn with the pointer are recognised, and the model
// computes there what it computes in Node.
//
//   check-page.mjs LATHE SOURCE FOLDER
//
// Exits with 77 (skipped) where Chromium or playwright-core (npm ci in test/target/WebAssembly) is missing. Leaves page.png in FOLDER.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readNpy } from './npy.mjs';

function skip(reason) {
  console.log(`skipped: ${reason}`);
  process.exit(77);
}

const [lathe, source, folder] = process.argv.slice(2);
const browserPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync) ?? skip('no chromium');
const { chromium } = await import('playwright-core').catch(() => skip('no playwright-core: run npm ci in test/target/WebAssembly'));

const page = join(source, 'docs/examples/web');
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(page).filter((name) => /\.(html|css|js)$/.test(name))) copyFileSync(join(page, name), join(folder, name));
for (const [target, file] of [['wasm32', 'glyph.wasm'], ['wasm32-threads', 'threads.wasm']]) {
  const { status, stderr } = spawnSync(lathe, ['compile', join(source, 'test/models/glyph_resnet.onnx'), `--target=${target}`, '--dim=batch=1',
                                               '--name=glyph', '-o', join(folder, file)], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

const types = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };
let withModel = true, isolated = {};
const server = createServer((request, response) => {
  const path = join(folder, new URL(request.url, 'http://localhost').pathname.replace(/\/$/, '/index.html'));
  const found = existsSync(path) && (withModel || !path.endsWith('.wasm'));
  response.writeHead(found ? 200 : 404, { 'Content-Type': types[extname(path)] ?? 'text/plain', 'Cache-Control': 'no-store', ...isolated });
  response.end(found ? readFileSync(path) : '');
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const address = `http://127.0.0.1:${server.address().port}/`;

/// Strokes in a square of 100 x 100.
const strokes = {
  L: [[[35, 20], [35, 80], [68, 80]]],
  T: [[[25, 22], [75, 22]], [[50, 22], [50, 82]]],
  H: [[[30, 20], [30, 80]], [[70, 20], [70, 80]], [[30, 50], [70, 50]]],
  X: [[[28, 20], [72, 80]], [[72, 20], [28, 80]]],
  7: [[[28, 22], [72, 22], [45, 82]]],
  E: [[[68, 20], [32, 20], [32, 80], [68, 80]], [[32, 50], [62, 50]]],
};

const browser = await chromium.launch({
  executablePath: browserPath,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
         '--disable-component-update', '--disable-sync'],
});
try {
  const tab = await browser.newPage({ viewport: { width: 1000, height: 760 } });
  const problems = [];
  tab.on('pageerror', (error) => problems.push(error.message));
  tab.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  await tab.goto(address);
  await tab.waitForFunction(() => document.querySelector('#status').textContent === 'Ready.');
  const box = await tab.locator('#canvas').boundingBox();
  const at = ([x, y]) => [box.x + (x * box.width) / 100, box.y + (y * box.height) / 100];
  for (const [label, lines] of Object.entries(strokes)) {
    await tab.click('#clear');
    assert.equal(await tab.textContent('#best'), '?');
    for (const [first, ...rest] of lines) {
      await tab.mouse.move(...at(first));
      await tab.mouse.down();
      for (const point of rest) await tab.mouse.move(...at(point), { steps: 8 });
      await tab.mouse.up();
    }
    await tab.waitForFunction((expected) => document.querySelector('#best').textContent === expected, label, { timeout: 5000 })
      .catch(async () => assert.equal(await tab.textContent('#best'), label));
    const shares = await tab.locator('#bars .share').allTextContents();
    assert.equal(shares.length, 6);
    const percents = shares.map(parseFloat);
    assert.ok(percents[0] > 50, `expected ${label} to be likely, but got ${percents}`);
    assert.ok(percents.every((percent, i) => i === 0 || percent <= percents[i - 1]), `expected falling bars, but got ${percents}`);
  }
  assert.match(await tab.textContent('#status'), /^[\d.]+ ms/);
  await tab.waitForTimeout(300); // the bars move
  await tab.screenshot({ path: join(folder, 'page.png') });

  // The same bits as in Node: it is the same module.
  const image = readNpy(join(source, 'test/models/ref/glyph_resnet_b1/input.npy')).data;
  const { load } = await import(pathToFileURL(resolve(folder, 'glyph.mjs')));
  const expected = (await load()).run({ input: image }).logits;
  const logits = await tab.evaluate(async (values) => {
    const { load } = await import('./glyph.mjs');
    return Array.from((await load()).run({ input: Float32Array.from(values) }).logits);
  }, Array.from(image));
  assert.deepEqual(logits, Array.from(expected));

  // On two threads, which only a page that is cross-origin isolated may have.
  const onThreads = (values) => tab.evaluate(async (values) => {
    const { load } = await import('./threads.mjs');
    const model = await load(undefined, { threads: 2 });
    const runs = Array.from({ length: 10 }, () => Array.from(model.run({ input: Float32Array.from(values) }).logits));
    model.close();
    return runs;
  }, values);
  await assert.rejects(onThreads(Array.from(image)), /cross-origin isolated/);
  isolated = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
  await tab.goto(address);
  for (const run of await onThreads(Array.from(image))) assert.deepEqual(run, Array.from(expected));
  assert.deepEqual(problems, []);

  // A model that is missing is said on the page.
  withModel = false;
  await tab.goto(address);
  await tab.waitForFunction(() => /could not be loaded.*404/.test(document.querySelector('#status').textContent));
} finally {
  await browser.close();
  server.close();
}
console.log('ok');
