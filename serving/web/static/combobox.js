/** Type-ahead over names, aliases and pinyin: the combobox pattern of WAI-ARIA with a list below the field. */

const SHOWN = 8;

/** How well `query` fits an option, 0 for not at all; earlier names of an option count more than aliases. */
export function fit(option, query) {
  let best = 0;
  option.typed.forEach(([name, full, initials], index) => {
    const alias = index ? 4 : 0;
    let score = 0;
    const lower = name.toLowerCase();
    if (lower === query) score = 100;
    else if (lower.startsWith(query)) score = 90;
    else if (initials === query) score = 86;
    else if (initials.startsWith(query)) score = 78;
    else if (lower.includes(query)) score = 70;
    else if (full.startsWith(query)) score = 64;
    else if (query.length > 1 && initials.includes(query)) score = 40;
    else if (query.length > 2 && full.includes(query)) score = 30;
    else if (query.length > 1 && inOrder(lower, query)) score = 26;
    else if (query.length > 2 && inOrder(initials, query)) score = 16;
    best = Math.max(best, score && score - alias);
  });
  if (!best && option.parent?.includes(query)) best = 20;
  return best;
}

/** Whether the signs of `query` stand in `name` in this order, as in the short names people use: 城管局. */
function inOrder(name, query) {
  let at = 0;
  for (const sign of query) {
    at = name.indexOf(sign, at) + 1;
    if (!at) return false;
  }
  return true;
}

/** The options that fit, best first; `favours` breaks ties. */
export function matches(options, typed, favours = () => 0) {
  const query = typed.trim().toLowerCase().replaceAll(" ", "");
  if (!query) return options.filter((option) => favours(option) >= 0).slice(0, 60);
  return options
    .map((option, index) => ({ option, index, score: fit(option, query) + favours(option) }))
    .filter(({ option }) => fit(option, query) > 0)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, SHOWN)
    .map(({ option }) => option);
}

/**
 * @param {HTMLInputElement} input a combobox; its list is named by aria-controls
 * @param {{options: () => Promise<object[]>, pick: (option: object) => void, favours?: (option: object) => number}} how
 * @returns {{show: (name: string) => void}} `show` sets what the field says while nobody types
 */
export function combobox(input, { options, pick, favours }) {
  const list = document.getElementById(input.getAttribute("aria-controls"));
  let found = [];
  let active = -1;
  let shown = input.value;
  let opening = Promise.resolve(); // what was typed is matched once the labels are here

  const close = () => {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const mark = (index) => {
    active = index;
    [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === index)));
    const item = list.children[index];
    if (item?.id) {
      input.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    }
  };
  const open = (typed) => { opening = fill(typed); };
  const fill = async (typed) => {
    const known = await options();
    if (document.activeElement !== input) return;
    found = matches(known, typed, favours);
    list.replaceChildren(...found.map((option, index) => item(option, index, typed)));
    if (!found.length) list.replaceChildren(Object.assign(document.createElement("li"), { className: "none", textContent: "没有这个名称" }));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark(found.length && typed.trim() ? 0 : -1);
  };
  const item = (option, index, typed) => {
    const node = document.createElement("li");
    node.id = `${list.id}-${index}`;
    node.setAttribute("role", "option");
    node.textContent = option.name;
    const hint = option.parent || alias(option, typed);
    if (hint) node.append(Object.assign(document.createElement("small"), { textContent: hint }));
    node.addEventListener("mousedown", (event) => {
      event.preventDefault();
      choose(option);
    });
    return node;
  };
  const choose = (option) => {
    close();
    shown = input.value = option.name;
    pick(option);
  };

  input.addEventListener("focus", () => input.select());
  input.addEventListener("click", () => list.hidden && open(""));
  input.addEventListener("input", () => open(input.value));
  input.addEventListener("blur", () => {
    close();
    input.value = shown;
  });
  input.addEventListener("keydown", async (event) => {
    const isOpen = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) open("");
      else if (found.length) mark((active + (event.key === "ArrowDown" ? 1 : found.length - 1) + found.length) % found.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      await opening; // somebody who types fast presses Enter before the list is there
      if (!list.hidden && found[active]) choose(found[active]);
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      event.stopPropagation();
      close();
      input.value = shown;
    }
  });
  return {
    show(name) {
      shown = input.value = name;
    },
  };
}

function alias(option, typed) {
  const query = typed.trim().toLowerCase();
  return query ? (option.typed.slice(1).find(([name]) => name.toLowerCase().includes(query))?.[0] ?? "") : "";
}
