/** Take the next petition of a queue and go to it. */

import { call } from "./api.js";
import { notice } from "./notice.js";

/** @param {string} queue empty for the most pressing of all */
export async function takeNext(queue) {
  const { body } = await call("POST", "/v1/claims", { body: { queue: queue || null } });
  if (!body.petition) {
    notice(queue ? "这个队列里没有可领取的件了。" : "没有可领取的件了。", {
      kind: "done",
      action: { name: "回到队列", run: () => location.assign("/queues") },
    });
    return;
  }
  location.assign(`/petitions/${body.petition.id}${queue ? `?queue=${queue}` : ""}`);
}
