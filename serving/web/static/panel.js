/** The working panel: a suggestion head by head, corrections, and what is done with the petition. */

import { call, labels, part } from "./api.js";
import { keepClaim, writeLeft } from "./claim.js";
import { ask, askSure, askText } from "./dialogs.js";
import { Heads } from "./heads.js";
import { attempt, clearNotice, notice } from "./notice.js";
import { askAppeals } from "./several.js";

/**
 * @param {HTMLElement} view holds the `.work` of the server, and is filled anew after every step
 * @param {{next: () => Promise<unknown> | void, edit?: () => void, submit?: () => void, changed?: () => void}} handlers
 * @returns {{show: (content: DocumentFragment) => void, load: (id: string) => Promise<void>, clear: () => void}}
 */
export function panel(view, handlers) {
  let stopClaim = () => {};
  let heads = null;
  let givenUp = false; // somebody agreed to lose what is not saved

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
    relabel();
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

  /** Say on the buttons what Enter will do. */
  function relabel() {
    givenUp = false;
    const accept = button("accept");
    if (!accept || work().dataset.blind === "true") return;
    const anew = work().dataset.state === "decided" && !heads.dirty;
    accept.firstChild.textContent = anew ? "重新办结" : heads.agree ? "采纳" : "按更正办结";
    const next = button("next");
    if (!next) return;
    const entered = heads.dirty ? accept : next;
    for (const each of [accept, next]) each.classList.toggle("primary", each === entered);
    entered.append(view.querySelector(".actions kbd"));
  }

  /** What going on would lose, in words; empty where it loses nothing. */
  function unsaved() {
    if (!work() || givenUp) return "";
    if (work().dataset.state === "trial") return "这份正文还没有登记";
    return heads.dirty ? "您的改动还没有保存" : "";
  }

  /** Go on to the next; what is not saved is lost only after a question. */
  async function next() {
    const loss = unsaved();
    if (loss && !(await askSure({ title: "不保存就取下一件？", text: `${loss}，取下一件就会丢失。` }))) return;
    givenUp = true;
    await handlers.next();
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

  /** Show what has been put on record meanwhile; what the clerk has changed stays. */
  async function showHistory() {
    const now = await part("GET", `/desk/petitions/${work().dataset.petition}/work`);
    view.querySelector("#history").replaceWith(now.querySelector("#history"));
  }

  async function decide(body, told) {
    const { petition, version } = work().dataset;
    await call("POST", `/v1/petitions/${petition}/decision`, { body, headers: { "If-Match": `"${version}"` } });
    await load(petition);
    notice(told, { kind: "done" });
  }

  const steps = {
    async accept() {
      const blind = work().dataset.blind === "true";
      if (!blind && heads.agree) return decide({ action: "accept" }, "已采纳。");
      const wrong = heads.wrong();
      if (wrong) return notice(wrong);
      const body = { action: "correct", labels: heads.labels, reasons: heads.reasons };
      if (!blind || heads.coChanged) body.co_departments = heads.coDepartments;
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
      await showHistory();
    },
    next,
    edit: async () => handlers.edit(),
    submit: async () => handlers.submit(),
  };

  document.addEventListener("desk:key", (event) => {
    if (!work()) return;
    const key = event.detail;
    if (key === "Enter") view.querySelector(".actions .primary:not([hidden])")?.click();
    else if (key === "n") attempt(view, next);
    else heads.focus(Number(key));
    event.preventDefault();
  });
  window.addEventListener("beforeunload", (event) => {
    if (unsaved()) event.preventDefault();
  });

  if (work()) start();
  return { show, load, clear };
}
