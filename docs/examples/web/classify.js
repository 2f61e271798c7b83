// From a drawing to probabilities. The page and its test use the same functions.

export const labels = [...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
export const size = 32; // of the model's image
const extent = 20; // of the character in it

/** The box of what is drawn, where alpha is not 0; null if nothing is. `data` is RGBA. */
export function findBox({ width, height, data }) {
  let left = width, top = height, right = -1, bottom = -1;
  for (let y = 0; y < height; ++y)
    for (let x = 0; x < width; ++x)
      if (data[4 * (y * width + x) + 3]) {
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
      }
  return right < 0 ? null : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

/** Draws the box of `source` in the middle of a `size` x `size` context, black on white, as the model knows characters. */
export function drawSmall(context, source, box) {
  const scale = extent / Math.max(box.width, box.height);
  const width = box.width * scale, height = box.height * scale;
  context.fillStyle = 'white';
  context.fillRect(0, 0, size, size);
  context.imageSmoothingQuality = 'high';
  context.drawImage(source, box.x, box.y, box.width, box.height, (size - width) / 2, (size - height) / 2, width, height);
}

/** The model's input: pixels of RGBA from -0.5 to 0.5. */
export function toInput({ data }) {
  return Float32Array.from({ length: size * size }, (_, i) => (data[4 * i] + data[4 * i + 1] + data[4 * i + 2]) / 765 - 0.5);
}

export function softmax(logits) {
  const most = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - most));
  const sum = powers.reduce((all, power) => all + power, 0);
  return powers.map((power) => power / sum);
}

/** The most likely characters, as {label, probability}, best first. */
export function rank(logits, count) {
  return softmax(logits).map((probability, i) => ({ label: labels[i], probability }))
    .sort((a, b) => b.probability - a.probability).slice(0, count);
}
