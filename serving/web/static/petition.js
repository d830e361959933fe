/** One petition with its history. */

import { takeNext } from "./next.js";
import { attempt } from "./notice.js";
import { panel } from "./panel.js";

const view = document.getElementById("work-view");
const { queue } = view.dataset;
const state = document.querySelector(".page-head .state");

panel(view, {
  next: () => attempt(document.body, () => takeNext(queue), {
    explain: { too_many_claims: { text: "您手上的未决件已到上限，请先办理或放回。", action: { name: "看我手上的", run: () => location.assign("/queues") } } },
  }),
  changed: refresh,
});

function refresh() {
  const now = view.querySelector(".work").dataset.state;
  state.className = `state state-${now}`;
  state.textContent = STATES[now];
}

const STATES = {
  queued: "待办",
  auto_accepted: "自动采纳",
  decided: "已办",
  sent_back: "已退回补充",
  out_of_scope: "不属范围",
};
