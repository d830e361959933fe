/** People and keys: every secret is shown once. */

import { call } from "./api.js";
import { ask, askSure } from "./dialogs.js";
import { attempt, notice } from "./notice.js";

const secretDialog = document.getElementById("secret-dialog");
const secret = document.getElementById("secret");
document.getElementById("copy-secret").addEventListener("click", () => navigator.clipboard?.writeText(secret.value));

async function showSecret(title, value) {
  document.getElementById("secret-title").textContent = title;
  secret.value = value;
  await ask(secretDialog);
  secret.value = "";
  location.reload();
}

const run = (work) => attempt(document.body, work);

for (const row of document.querySelectorAll("tr[data-user]")) {
  const { user, name } = row.dataset;
  const path = `/v1/users/${user}`;
  const role = row.querySelector("[data-role]");
  const before = role.value;
  role.addEventListener("change", () => run(async () => {
    const chosen = role.selectedOptions[0].textContent;
    const sure = await askSure({ title: "修改角色", text: `把 ${name} 改为“${chosen}”？对方须重新登录。` });
    if (!sure) {
      role.value = before;
      return;
    }
    try {
      await call("PATCH", path, { body: { role: role.value } });
    } catch (error) {
      role.value = before;
      throw error;
    }
    location.reload();
  }));
  row.querySelector("[data-reset]").addEventListener("click", () => run(async () => {
    if (!(await askSure({ title: "重置口令", text: `给 ${name} 一个新的一次性口令？旧口令和登录立即失效。` }))) return;
    const { body } = await call("POST", `${path}/reset-password`);
    await showSecret(`${name} 的一次性口令`, body.one_time_password);
  }));
  const disable = row.querySelector("[data-disable]");
  disable?.addEventListener("click", () => run(async () => {
    const disabled = disable.dataset.disable === "true";
    if (disabled && !(await askSure({ title: "停用账号", text: `停用 ${name}？对方立即退出，所办记录都保留。` }))) return;
    await call("PATCH", path, { body: { disabled } });
    location.reload();
  }));
}

for (const row of document.querySelectorAll("tr[data-key]")) {
  const { key, name } = row.dataset;
  row.querySelector("[data-rotate]")?.addEventListener("click", () => run(async () => {
    if (!(await askSure({ title: "轮换密钥", text: `给“${name}”换一个新密钥？旧密钥再用 24 小时后作废。` }))) return;
    const { body } = await call("POST", `/v1/keys/${key}/rotate`, { body: { overlap_hours: 24 } });
    await showSecret(`“${name}”的新密钥`, body.secret);
  }));
  row.querySelector("[data-revoke]")?.addEventListener("click", () => run(async () => {
    if (!(await askSure({ title: "作废密钥", text: `立即作废“${name}”的密钥？该系统将不能再提交。` }))) return;
    await call("DELETE", `/v1/keys/${key}`);
    location.reload();
  }));
}

document.getElementById("new-user").addEventListener("submit", (event) => {
  event.preventDefault();
  run(async () => {
    const body = Object.fromEntries(new FormData(event.target));
    const made = await call("POST", "/v1/users", { body });
    await showSecret(`${made.body.user.name} 的一次性口令`, made.body.one_time_password);
  });
});

document.getElementById("new-key").addEventListener("submit", (event) => {
  event.preventDefault();
  run(async () => {
    const { name, role, expires_at: day } = Object.fromEntries(new FormData(event.target));
    if (!name.trim()) return notice("请写明系统名称。");
    const made = await call("POST", "/v1/keys", { body: { name, role, expires_at: day ? `${day}T23:59:59+08:00` : null } });
    return showSecret(`“${made.body.key.name}”的密钥`, made.body.secret);
  });
});
