/** Queues: take the next of one, and see how long one's own stay. */

import { writeLeft } from "./claim.js";
import { takeNext } from "./next.js";
import { attempt } from "./notice.js";

const take = (queue) => attempt(document.body, () => takeNext(queue));

for (const button of document.querySelectorAll("[data-next]")) {
  button.addEventListener("click", () => take(button.dataset.next));
}
document.addEventListener("desk:key", (event) => {
  if (event.detail !== "n") return;
  event.preventDefault();
  take("");
});

const timers = document.querySelectorAll(".timer[data-expires]");
const tick = () => timers.forEach((timer) => writeLeft(timer, timer.dataset.expires));
tick();
setInterval(tick, 1000);
