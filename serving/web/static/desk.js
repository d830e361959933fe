/** The judge desk: judge a text, look at the suggestion, accept or correct it, register it. */

import { call, freshKey, Refused } from "/static/api.js";
import { markUp } from "/static/text.js";

const HEADS = [
  ["category_l1", "一级分类"],
  ["category_l2", "二级分类"],
  ["nature", "性质"],
  ["channel", "法定途径"],
  ["department", "责任部门"],
];
const CORRECTION_REASONS = [
  ["text_misread", "理解错了内容"],
  ["wrong_boundary", "相近类别混淆"],
  ["local_rule", "本地分工不同"],
  ["law_or_policy", "依据法规政策"],
  ["label_missing", "没有合适选项"],
  ["other", "其他"],
];

const byId = (id) => document.getElementById(id);
const intake = byId("intake");
const verdict = byId("verdict");
const taxonomy = call("GET", "/v1/taxonomy").then((answer) => answer.body.heads);
taxonomy.catch(() => say("分类体系尚未就绪，请稍后刷新。"));

let current = null; // {text, title, key, answer, selects, reasons}

function say(message) {
  byId("message").textContent = message;
}

function option(value, label) {
  const node = document.createElement("option");
  node.value = value;
  node.textContent = label;
  return node;
}

intake.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { text, title } = Object.fromEntries(new FormData(intake));
  await attempt("正在研判…", async () => {
    const { body } = await call("POST", "/v1/classify", { body: { text, title } });
    current = { text, title, key: freshKey(), answer: body.answer, selects: {}, reasons: {} };
    await show(body);
    say("");
    byId("accept").focus();
  });
});

byId("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) intake.requestSubmit();
});

async function attempt(message, work) {
  say(message);
  const buttons = document.querySelectorAll("main button");
  buttons.forEach((button) => (button.disabled = true));
  try {
    await work();
  } catch (error) {
    say(error instanceof Refused ? error.message : "无法连接服务，请稍后重试。");
  } finally {
    buttons.forEach((button) => (button.disabled = false));
  }
}

async function show(judged) {
  const { answer } = judged;
  const banner = byId("decision");
  banner.textContent = answer.decision.action === "auto" ? "建议可直接采纳" : "请人工审核";
  banner.className = `banner ${answer.decision.action}`;
  byId("reasons").replaceChildren(
    ...answer.firings.map((firing) => item(`${firing.level} 级：${firing.name}。${firing.action}（${firing.basis}）`)),
    ...answer.decision.reasons.map((reason) => item(reason.message)),
  );
  const labels = await taxonomy;
  byId("heads").replaceChildren(...HEADS.map(([head, name]) => headRow(head, name, answer.predictions[head], labels)));
  syncSecondLevel(labels);
  byId("basis").textContent = answer.legal_basis;
  byId("routes").replaceChildren(
    ...answer.channel_alternatives.map((route) => item(`也可：${route.name}（${route.basis}）${route.note}`)),
  );
  const content = current.title ? `${current.title}\n${current.text}` : current.text;
  markUp(byId("original"), content, [
    ...judged.redactions.map(({ span, kind }) => ({
      start: span[0], end: span[1], tag: "span", className: "chip", title: `${kind}，保存时隐去`,
    })),
    ...answer.firings.map(({ span, name }) => ({ start: span[0], end: span[1], tag: "mark", title: name })),
    ...answer.evidence.map(({ span, head }) => ({
      start: span[0], end: span[1], tag: "mark", title: `影响：${HEADS.find(([code]) => code === head)[1]}`,
    })),
  ]);
  byId("result").hidden = false;
}

function item(text) {
  const node = document.createElement("li");
  node.textContent = text;
  return node;
}

function headRow(head, name, prediction, labels) {
  const row = document.createElement("div");
  row.className = "head";
  const label = document.createElement("label");
  label.htmlFor = `head-${head}`;
  label.textContent = name;
  const select = document.createElement("select");
  select.id = `head-${head}`;
  select.append(...labels[head].map((one) => option(one.code, one.name)));
  select.value = prediction.code;
  current.selects[head] = select;
  row.append(label, select, confidence(prediction.confidence), choices(prediction, select), reasonField(head, row));
  select.addEventListener("change", async () => {
    if (head === "category_l1") syncSecondLevel(await taxonomy);
    markChanges();
  });
  return row;
}

function confidence(value) {
  const node = document.createElement("span");
  node.className = "confidence";
  const meter = document.createElement("meter");
  meter.min = 0;
  meter.max = 1;
  meter.value = value;
  meter.setAttribute("aria-hidden", "true");
  node.append(meter, `把握 ${Math.round(value * 100)}%`);
  return node;
}

function choices(prediction, select) {
  const node = document.createElement("div");
  node.className = "choices";
  for (const other of prediction.alternatives.slice(0, 3)) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "choice";
    button.textContent = `${other.name} ${Math.round(other.confidence * 100)}%`;
    button.addEventListener("click", () => {
      select.value = other.code;
      select.dispatchEvent(new Event("change"));
    });
    node.append(button);
  }
  return node;
}

function reasonField(head, row) {
  const select = document.createElement("select");
  select.className = "reason";
  select.setAttribute("aria-label", `更正原因（${row.querySelector("label").textContent}）`);
  select.append(...CORRECTION_REASONS.map(([code, name]) => option(code, `更正原因：${name}`)));
  select.hidden = true;
  current.reasons[head] = select;
  return select;
}

function syncSecondLevel(labels) {
  const first = current.selects.category_l1.value;
  const second = current.selects.category_l2;
  const kept = second.value;
  const fitting = labels.category_l2.filter((one) => one.parent === first);
  second.replaceChildren(...fitting.map((one) => option(one.code, one.name)));
  second.value = fitting.some((one) => one.code === kept) ? kept : (fitting.at(-1)?.code ?? "");
}

function changedHeads() {
  return HEADS.map(([head]) => head).filter(
    (head) => current.selects[head].value !== current.answer.predictions[head].code,
  );
}

function markChanges() {
  const changed = changedHeads();
  for (const [head] of HEADS) {
    current.selects[head].closest(".head").classList.toggle("changed", changed.includes(head));
    current.reasons[head].hidden = !changed.includes(head);
  }
  byId("accept").textContent = changed.length ? "更正并登记（Enter）" : "采纳并登记（Enter）";
}

verdict.addEventListener("submit", async (event) => {
  event.preventDefault();
  await attempt("正在登记…", async () => {
    const { text, title, key } = current;
    const kept = await call("POST", "/v1/petitions", {
      body: { text, title, claim: true },
      headers: { "Idempotency-Key": key },
    });
    if (!kept.body.claim) {
      finish(`已登记 ${kept.body.id}，此件抽中盲审，由审核员独立判断。`);
      return;
    }
    await decide(kept);
    finish(`已登记并办理 ${kept.body.id}。`);
  });
});

function decide({ body, etag }) {
  const changed = changedHeads();
  const pick = (from) => Object.fromEntries(changed.map((head) => [head, from[head].value]));
  const decision = changed.length
    ? { action: "correct", labels: pick(current.selects), reasons: pick(current.reasons) }
    : { action: "accept" };
  return call("POST", `/v1/petitions/${body.id}/decision`, { body: decision, headers: { "If-Match": etag } });
}

function finish(message) {
  intake.reset();
  byId("result").hidden = true;
  current = null;
  say(message);
  byId("text").focus();
}

byId("clear").addEventListener("click", () => finish(""));
