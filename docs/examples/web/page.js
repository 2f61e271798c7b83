// Draws with the pointer, and shows what the model makes of it after each stroke and between.
import { drawSmall, findBox, rank, size, toInput } from './classify.js';
import { load } from './glyph.mjs';

const shown = 6; // bars
const strokeWidth = 46;

const canvas = document.querySelector('#canvas');
const board = canvas.parentElement;
const pen = canvas.getContext('2d', { willReadFrequently: true });
const seen = document.querySelector('#seen').getContext('2d', { willReadFrequently: true });
const best = document.querySelector('#best');
const bars = document.querySelector('#bars');
const status = document.querySelector('#status');

for (let i = 0; i < shown; ++i) {
  const row = bars.appendChild(document.createElement('li'));
  row.innerHTML = '<b></b><div class="track"><div class="fill"></div></div><div class="share"></div>';
}

function show(ranked) {
  best.textContent = ranked[0]?.label ?? '?';
  [...bars.children].forEach((row, i) => {
    const percent = 100 * (ranked[i]?.probability ?? 0);
    row.querySelector('b').textContent = ranked[i]?.label ?? '';
    row.querySelector('.fill').style.width = `${percent}%`;
    row.querySelector('.share').textContent = ranked[i] ? `${percent.toFixed(1)} %` : '';
  });
}

function clear() {
  pen.clearRect(0, 0, canvas.width, canvas.height);
  seen.clearRect(0, 0, size, size);
  board.classList.remove('drawn');
  show([]);
}

let model;
let waiting = false;

function classify() {
  waiting = false;
  const box = model && findBox(pen.getImageData(0, 0, canvas.width, canvas.height));
  if (!box) return;
  drawSmall(seen, canvas, box);
  const input = toInput(seen.getImageData(0, 0, size, size));
  const begin = performance.now();
  const { logits } = model.run({ input });
  const time = performance.now() - begin;
  show(rank(logits, shown));
  status.textContent = `${time.toFixed(1)} ms · ${(model.memoryBytes / 1e6).toFixed(1)} MB of memory · nothing leaves this page`;
}

/** At most once for each picture that the screen shows. */
function classifySoon() {
  if (!waiting) requestAnimationFrame(classify);
  waiting = true;
}

let last = null;

function drawTo(event) {
  const { left, top, width } = canvas.getBoundingClientRect();
  const scale = canvas.width / width;
  const point = { x: (event.clientX - left) * scale, y: (event.clientY - top) * scale };
  const from = last ?? point;
  pen.strokeStyle = 'black';
  pen.lineWidth = strokeWidth;
  pen.lineCap = pen.lineJoin = 'round';
  pen.beginPath();
  pen.moveTo(from.x, from.y);
  pen.lineTo(point.x, point.y);
  pen.stroke();
  last = point;
  board.classList.add('drawn');
  classifySoon();
}

canvas.addEventListener('pointerdown', (event) => {
  canvas.setPointerCapture(event.pointerId);
  drawTo(event);
});
canvas.addEventListener('pointermove', (event) => {
  if (last) (event.getCoalescedEvents?.() ?? [event]).forEach(drawTo);
});
for (const end of ['pointerup', 'pointercancel']) canvas.addEventListener(end, () => (last = null));
document.querySelector('#clear').addEventListener('click', clear);
addEventListener('keydown', ({ key }) => key === 'Escape' && clear());

clear();
try {
  model = await load();
  status.textContent = 'Ready.';
  classifySoon();
} catch (error) {
  status.textContent = `The model could not be loaded: ${error.message}`;
}
