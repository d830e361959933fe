/** The working panel: a suggestion head by head, corrections, and what is done with the petition. */

import { call, labels, part } from "./api.js";
import { keepClaim, writeLeft } from "./claim.js";
import { askText, ask } from "./dialogs.js";
import { Heads } from "./heads.js";
import { attempt, clearNotice, notice } from "./notice.js";
import { askAppeals } from "./several.js";

/**
 * @param {HTMLElement} view holds the `.work` of the server, and is filled anew after every step
 * @param {{next: () => void, edit?: () => void, submit?: () => void, changed?: () => void}} handlers
 * @returns {{show: (content: DocumentFragment) => void, load: (id: string) => Promise<void>, clear: () => void}}
 */
export function panel(view, handlers) {
  let stopClaim = () => {};
  let heads = null;

  const work = () => view.querySelector(".work");
  const button = (name) => view.querySelector(`[data-do="${name}"]`);

  function show(content) {
    clear();
    view.replaceChildren(content);
    start();
  }

  async function load(id) {
    show(await part("GET", `/desk/petitions/${id}/work`));
    handlers.changed?.();
  }

  function clear() {
    stopClaim();
    stopClaim = () => {};
    heads = null;
    view.replaceChildren();
  }

  function start() {
    heads = new Heads(work(), { changed: relabel });
    for (const each of view.querySelectorAll("[data-do]")) {
      each.addEventListener("click", () => attempt(view, () => steps[each.dataset.do](), { explain }));
    }
    const { claim, expires } = work().dataset;
    const place = view.querySelector("[data-timer]");
    if (claim && place) stopClaim = keepClaim({ id: claim, expires, place, lost });
    else if (expires && place) writeLeft(place, expires);
    (view.querySelector(".actions .primary") ?? view.querySelector(".actions button"))?.focus({ preventScroll: true });
    if (work().dataset.blind === "true" && button("accept")) heads.focus(1);
  }

  /** Say on the button what Enter will do. */
  function relabel() {
    const accept = button("accept");
    if (!accept || work().dataset.blind === "true") return;
    const decided = Boolean(button("next"));
    accept.hidden = decided && !heads.dirty;
    if (decided) button("next").classList.toggle("primary", !heads.dirty);
    accept.classList.toggle("primary", !decided || heads.dirty);
    accept.firstChild.textContent = heads.dirty ? "按更正办结" : "采纳";
  }

  function lost(how) {
    notice(`此件${how}，您的改动还没有保存。`, { action: { name: "看现在的情况", run: refresh } });
    for (const each of view.querySelectorAll(".actions button")) each.disabled = each.dataset.do !== "next";
  }

  const refresh = () => attempt(view, async () => {
    clearNotice();
    await load(work().dataset.petition);
  });
  const again = { name: "看现在的情况", run: refresh };
  const explain = {
    changed_meanwhile: { text: "这件在您打开之后已有变动，您的决定没有保存。", action: again },
    not_claimed: { text: "这件已不在您手上，您的决定没有保存。", action: again },
    claim_lost: { text: "这件已不在您手上。", action: again },
    held_by_another: { action: again },
  };

  async function decide(body, told) {
    const { petition, version } = work().dataset;
    await call("POST", `/v1/petitions/${petition}/decision`, { body, headers: { "If-Match": `"${version}"` } });
    await load(petition);
    notice(told, { kind: "done" });
  }

  const steps = {
    async accept() {
      const blind = work().dataset.blind === "true";
      if (!blind && !heads.dirty) return decide({ action: "accept" }, "已采纳。");
      const wrong = heads.wrong();
      if (wrong) return notice(wrong);
      const body = { action: "correct", labels: heads.labels, reasons: heads.reasons };
      if (heads.coChanged) body.co_departments = heads.coDepartments;
      return decide(body, blind ? "已提交盲审，现在可以看到建议。" : "已按更正办结。");
    },
    async several() {
      const appeals = await askAppeals(heads.labels, await labels());
      if (appeals) await decide({ action: "several_appeals", appeals }, `已按 ${appeals.length} 个诉求办结。`);
    },
    async send_back() {
      const note = await askText({ title: "退回补充", hint: "正文不足以判断，请信访人补充。", label: "要补充什么", atLeast: 2 });
      if (note !== null) await decide({ action: "send_back", note }, "已退回补充。");
    },
    async out_of_scope() {
      const note = await askText({ title: "不属信访事项范围", hint: "这里只作登记。不予受理等处理须另行依法决定、告知。", label: "说明", atLeast: 2 });
      if (note !== null) await decide({ action: "out_of_scope", note }, "已记为不属范围。");
    },
    async release() {
      await call("DELETE", `/v1/claims/${work().dataset.claim}`);
      await load(work().dataset.petition);
      notice("已放回队列。", { kind: "done" });
    },
    async claim() {
      await call("POST", `/v1/petitions/${work().dataset.petition}/claim`);
      clearNotice();
      await load(work().dataset.petition);
    },
    async force() {
      const reason = await askText({ title: "强制放回", hint: "从别人手上收回此件，记入审计记录。", label: "原因", atLeast: 2 });
      if (reason === null) return;
      await call("POST", `/v1/petitions/${work().dataset.petition}/force-release`, { body: { reason } });
      await load(work().dataset.petition);
      notice("已强制放回，现在可以领取。", { kind: "done" });
    },
    async undo() {
      const { petition, version } = work().dataset;
      await call("DELETE", `/v1/petitions/${petition}/decision`, { headers: { "If-Match": `"${version}"` } });
      await load(petition);
      notice("决定已撤销，此件仍在您手上。", { kind: "done" });
    },
    async original() {
      const { body } = await call("GET", `/v1/petitions/${work().dataset.petition}/original`);
      document.getElementById("original-text").textContent = body.content;
      await ask(document.getElementById("original-dialog"));
      document.getElementById("original-text").textContent = "";
      await load(work().dataset.petition);
    },
    next: async () => handlers.next(),
    edit: async () => handlers.edit(),
    submit: async () => handlers.submit(),
  };

  document.addEventListener("desk:key", (event) => {
    if (!work()) return;
    const key = event.detail;
    if (key === "Enter") view.querySelector(".actions .primary:not([hidden])")?.click();
    else if (key === "n") handlers.next();
    else heads.focus(Number(key));
    event.preventDefault();
  });

  if (work()) start();
  return { show, load, clear };
}
