/** One petition with several appeals: each gets labels of its own. */

import { combobox } from "./combobox.js";
import { ask } from "./dialogs.js";

const HEADS = [
  ["category_l1", "一级分类"],
  ["category_l2", "二级分类"],
  ["nature", "性质"],
  ["channel", "途径"],
  ["department", "部门"],
];
let made = 0;

/** Ask for two or more appeals, the first filled in with `labels`; null where it was called off. */
export async function askAppeals(labels, known) {
  const dialog = document.getElementById("several-dialog");
  const list = dialog.querySelector("#appeals");
  const appeals = [];
  const add = (codes) => {
    const appeal = row(codes, known, appeals);
    appeals.push(appeal);
    list.append(appeal.node);
    return appeal;
  };
  list.replaceChildren();
  add(labels);
  add({ ...labels, category_l1: "", category_l2: "", department: "" });
  const more = dialog.querySelector("#add-appeal");
  const addMore = () => appeals.length < 20 && add({ ...labels, category_l1: "", category_l2: "", department: "" }).node.querySelector("input").focus();
  more.addEventListener("click", addMore);
  const check = () => {
    if (appeals.length < 2) return "至少要有两个诉求；只有一个请直接采纳或更正。";
    const short = appeals.findIndex(({ codes }) => HEADS.some(([head]) => !codes[head]));
    if (short < 0) return "";
    appeals[short].node.querySelector("input").focus();
    return `第 ${short + 1} 个诉求还没有填全五项。`;
  };
  const confirmed = await ask(dialog, { check });
  more.removeEventListener("click", addMore);
  return confirmed ? appeals.map(({ codes }) => codes) : null;
}

function row(given, known, appeals) {
  const codes = { ...given };
  const node = document.createElement("li");
  const fields = {};
  const set = (head, option) => {
    codes[head] = option?.code ?? "";
    fields[head].show(option?.name ?? "");
  };
  const pick = (head, option) => {
    codes[head] = option.code;
    if (head === "category_l1" && known.category_l2.find((one) => one.code === codes.category_l2)?.parent !== option.code) set("category_l2");
    if (head === "category_l2") set("category_l1", known.category_l1.find((one) => one.code === option.parent));
  };
  for (const [head, name] of HEADS) {
    made += 1;
    const label = Object.assign(document.createElement("label"), { textContent: name, htmlFor: `appeal-${made}` });
    const input = Object.assign(document.createElement("input"), { id: `appeal-${made}`, autocomplete: "off", spellcheck: false });
    const list = Object.assign(document.createElement("ul"), { id: `appeal-list-${made}`, hidden: true });
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", list.id);
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", name);
    input.value = known[head].find((one) => one.code === codes[head])?.name ?? "";
    const box = Object.assign(document.createElement("div"), { className: "choose" });
    box.append(input, list);
    label.append(box);
    node.append(label);
    document.getElementById("appeals").append(node); // the list must be in the page for the field to find it
    fields[head] = combobox(input, {
      options: async () => known[head],
      pick: (option) => pick(head, option),
      favours: (option) => (head === "category_l2" && codes.category_l1 ? (option.parent === codes.category_l1 ? 12 : -1) : 0),
    });
  }
  const appeal = { node, codes };
  const remove = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: "去掉" });
  remove.addEventListener("click", () => {
    appeals.splice(appeals.indexOf(appeal), 1);
    node.remove();
  });
  node.append(remove);
  return appeal;
}
