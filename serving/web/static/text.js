/** Text with marked spans. Offsets count code points, as everywhere in this product; JavaScript counts otherwise. */

/**
 * Fill `element` with `text`, spans wrapped in elements; where spans overlap, the first in `spans` wins.
 * @param {HTMLElement} element
 * @param {string} text
 * @param {{start: number, end: number, tag: string, className?: string, title?: string}[]} spans
 */
export function markUp(element, text, spans) {
  const points = Array.from(text);
  const owner = new Array(points.length).fill(null);
  for (const span of spans) {
    for (let index = span.start; index < Math.min(span.end, points.length); index += 1) {
      owner[index] ??= span;
    }
  }
  element.replaceChildren();
  let begin = 0;
  for (let index = 1; index <= points.length; index += 1) {
    if (index < points.length && owner[index] === owner[begin]) continue;
    const piece = points.slice(begin, index).join("");
    element.append(owner[begin] ? wrapped(owner[begin], piece) : piece);
    begin = index;
  }
}

function wrapped(span, piece) {
  const node = document.createElement(span.tag);
  node.textContent = piece;
  if (span.className) node.className = span.className;
  if (span.title) node.title = span.title;
  return node;
}
