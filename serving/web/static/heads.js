/** The five answers of a panel: what stands, what the clerk changes, and the department that follows the category. */

import { call, labels } from "./api.js";
import { combobox } from "./combobox.js";

const ORDER = ["category_l1", "category_l2", "nature", "channel", "department"];

export class Heads {
  /** @param {HTMLElement} work @param {{changed: () => void}} handlers */
  constructor(work, { changed }) {
    this.work = work;
    this.changed = changed;
    this.rows = new Map();
    this.departmentTouched = false;
    for (const row of work.querySelectorAll(".head[data-head]")) this.#start(row);
    this.#startCo();
    this.#startEvidence();
    work.querySelector("form.heads").addEventListener("submit", (event) => event.preventDefault());
    for (const button of work.querySelectorAll("[data-route]")) {
      button.addEventListener("click", () => this.#pickCode("channel", button.dataset.route));
    }
  }

  /** The codes as they stand now. */
  get labels() {
    return Object.fromEntries(ORDER.map((head) => [head, this.rows.get(head).code]));
  }

  /** The reasons of the corrections, of the heads that differ from the suggestion. */
  get reasons() {
    const given = ORDER.filter((head) => this.#corrected(head)).map((head) => [head, this.rows.get(head).reason.value]);
    return Object.fromEntries(given.filter(([, reason]) => reason));
  }

  get coDepartments() {
    return [...this.work.querySelectorAll(".co-chosen li")].map((item) => item.dataset.code);
  }

  get coChanged() {
    return this.coDepartments.join() !== this.coBefore.join();
  }

  /** Whether what stands is what was suggested. */
  get agree() {
    const suggested = this.work.querySelector(".co-chosen").dataset.suggested;
    return this.coDepartments.join() === suggested && !ORDER.some((head) => this.#corrected(head));
  }

  get dirty() {
    return this.coChanged || ORDER.some((head) => this.rows.get(head).code !== this.rows.get(head).before);
  }

  get blind() {
    return this.work.dataset.blind === "true";
  }

  /** What is still missing, in words, with the cursor on it; empty where nothing is. */
  wrong() {
    for (const head of ORDER) {
      const row = this.rows.get(head);
      if (!row.code) {
        row.input.focus();
        return `请填写${row.name}。`;
      }
      if (this.#corrected(head) && !row.reason.value) {
        row.reason.focus();
        return `请选择${row.name}的更正原因。`;
      }
    }
    return "";
  }

  /** Put the cursor on head number 1 to 5. */
  focus(number) {
    this.rows.get(ORDER[number - 1])?.input.focus();
  }

  #start(node) {
    const { head } = node.dataset;
    const input = node.querySelector('[role="combobox"]');
    const row = {
      node,
      input,
      name: node.querySelector("label").lastChild.textContent.trim(),
      code: node.dataset.code,
      before: node.dataset.code,
      suggested: node.dataset.suggested,
      reason: node.querySelector(".why select"),
    };
    row.field = combobox(input, {
      options: async () => (await labels())[head],
      pick: (option) => this.#pick(head, option),
      favours: (option) => this.#favour(head, option),
    });
    this.rows.set(head, row);
    for (const button of node.querySelectorAll("[data-pick]")) {
      button.addEventListener("click", () => this.#pickCode(head, button.dataset.pick));
    }
    row.reason.addEventListener("change", () => {
      for (const other of this.rows.values()) if (!other.reason.value) other.reason.value = row.reason.value;
      if (!this.wrong()) this.work.querySelector(".actions .primary")?.focus();
    });
    this.#mark(head);
  }

  /** Second-level classes of the chosen first level come first, and alone while nothing is typed. */
  #favour(head, option) {
    if (head !== "category_l2") return 0;
    const first = this.rows.get("category_l1").code;
    if (!first) return 0;
    return option.parent === first ? 12 : -1;
  }

  async #pickCode(head, code) {
    const option = (await labels())[head].find((one) => one.code === code);
    if (option) await this.#pick(head, option);
  }

  async #pick(head, option) {
    this.#set(head, option);
    if (head === "department") {
      this.departmentTouched = true;
      this.#follow("");
    }
    if (head === "category_l1") await this.#fitSecond(option);
    if (head === "category_l2") {
      const first = (await labels()).category_l1.find((one) => one.code === option.parent);
      if (first) this.#set("category_l1", first);
      await this.#proposeDepartment(option.code);
    }
    this.#advance(head);
  }

  #set(head, option) {
    const row = this.rows.get(head);
    row.code = option?.code ?? "";
    row.field.show(option?.name ?? "");
    if (head === "channel") {
      row.node.querySelector("[data-channel-basis]").textContent = option?.note ?? "";
    }
    this.#mark(head);
    this.changed();
  }

  async #fitSecond(first) {
    const second = this.rows.get("category_l2");
    const fitting = (await labels()).category_l2.filter((one) => one.parent === first.code);
    if (!fitting.some((one) => one.code === second.code)) this.#set("category_l2", undefined);
  }

  #corrected(head) {
    const row = this.rows.get(head);
    return !this.blind && Boolean(row.suggested) && row.code !== row.suggested;
  }

  #mark(head) {
    const row = this.rows.get(head);
    const editable = !row.input.disabled;
    row.node.classList.toggle("corrected", this.#corrected(head));
    row.node.querySelector(".why").hidden = !editable || !this.#corrected(head) || this.work.dataset.state === "trial";
    for (const button of row.node.querySelectorAll("[data-pick]")) {
      button.setAttribute("aria-pressed", String(button.dataset.pick === row.code));
    }
  }

  /** After a pick the cursor goes to what is still missing, else to the button that Enter presses. */
  #advance(head) {
    const missing = ORDER.find((one) => !this.rows.get(one).code);
    const row = this.rows.get(head);
    if (missing) this.rows.get(missing).input.focus();
    else if (this.#corrected(head) && !row.reason.value && !row.node.querySelector(".why").hidden) row.reason.focus();
    else this.work.querySelector(".actions .primary:not([hidden])")?.focus();
  }

  #follow(text, offers = []) {
    const place = this.rows.get("department").node.querySelector(".follow");
    place.replaceChildren(text);
    for (const offer of offers) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: offer.name, title: offer.why });
      button.addEventListener("click", offer.run);
      place.append(" ", button);
    }
  }

  /** The department follows a corrected category: filled in where the grounds are clear, offered otherwise. */
  async #proposeDepartment(category) {
    const row = this.rows.get("department");
    const petition = this.work.dataset.petition;
    const query = new URLSearchParams({ category_l2: category, ...(petition ? { petition } : {}) });
    let items = [];
    try {
      ({ body: { items } } = await call("GET", `/desk/departments?${query}`));
    } catch (error) {
      if (!error.code) throw error;
      return this.#follow("没能取得该类的部门，请自行确认。");
    }
    const offers = items.filter((item) => item.code !== row.code).slice(0, 3).map((item) => ({
      name: item.name,
      why: item.grounds.join("；"),
      run: () => this.#pickCode("department", item.code),
    }));
    const [best] = items;
    if (!best) return this.#follow("该类没有固定的部门，请自行确认。");
    if (best.code === row.code) return this.#follow("部门与该类相符，不变。");
    if (!best.sure || this.departmentTouched) return this.#follow("该类常见的部门：", offers);
    const kept = { code: row.code, name: row.input.value };
    this.#set("department", { code: best.code, name: best.name });
    const back = kept.code
      ? [{ name: `改回 ${kept.name}`, why: "保留原来的部门", run: () => this.#pickCode("department", kept.code) }]
      : [];
    return this.#follow(`随分类提出，请确认：${best.grounds.join("；")}。`, back);
  }

  #startCo() {
    this.coBefore = this.coDepartments;
    const input = this.work.querySelector("input#co-department");
    const list = this.work.querySelector(".co-chosen");
    if (!input) return;
    const removable = (item) => {
      const name = item.textContent;
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
      button.setAttribute("aria-label", `去掉协办：${name}`);
      button.addEventListener("click", () => {
        item.remove();
        input.focus();
        this.changed();
      });
      item.append(button);
    };
    for (const item of list.children) removable(item);
    const field = combobox(input, {
      options: async () => (await labels()).department.filter((one) => !this.coDepartments.includes(one.code)),
      pick: (option) => {
        if (this.coDepartments.length < 5) {
          const item = Object.assign(document.createElement("li"), { textContent: option.name });
          item.dataset.code = option.code;
          removable(item);
          list.append(item);
        }
        field.show("");
        this.changed();
      },
    });
  }

  /** While the cursor or the pointer is on a head, only what speaks for it stays marked. */
  #startEvidence() {
    const marks = [...this.work.querySelectorAll("mark[data-heads]")];
    const dim = (head) => {
      for (const mark of marks) mark.classList.toggle("dim", Boolean(head) && !mark.dataset.heads.split(" ").includes(head));
    };
    for (const { node } of this.rows.values()) {
      const { head } = node.dataset;
      const told = marks.some((mark) => mark.dataset.heads.split(" ").includes(head));
      if (!told) continue;
      for (const kind of ["mouseenter", "focusin"]) node.addEventListener(kind, () => dim(head));
      for (const kind of ["mouseleave", "focusout"]) node.addEventListener(kind, () => dim(""));
    }
  }
}
