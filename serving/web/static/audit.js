/** The record: verify the whole chain. */

import { call } from "./api.js";
import { attempt } from "./notice.js";

const told = document.getElementById("chain");

document.getElementById("verify").addEventListener("click", () => attempt(document.body, async () => {
  told.hidden = false;
  told.className = "notice";
  told.textContent = "正在逐条校验…";
  const { body } = await call("GET", "/v1/audit/verify");
  told.className = `notice ${body.sound ? "done" : "fault"}`;
  told.textContent = body.sound
    ? `完整：${body.n_entries} 条记录首尾相连。链头 ${body.head}，可抄录备查。`
    : `有问题：${body.fault}（已读 ${body.n_entries} 条）。请立即报告并保全数据库。`;
}));
