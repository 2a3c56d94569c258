// WeCom's client around the page: which chat this is, and putting words into it.

import { call } from "./sidebar_wire.js";

const page = document.body.dataset;
const FIND_MS = 6000;
const SEND_MS = 20000;
const OF_ONE = ["single_chat_tools", "single_kf_tools", "contact_profile"];
const TALKS = ["single_chat_tools", "single_kf_tools", "group_chat_tools"];
const NOWHERE = { kind: "", id: "", canSend: false };
let ready = null;

// Words that did not go out; `message` says so to the person.
export class Unsent extends Error {}

export const isThere = () => Boolean(window.ww && window.ww.register);

function register() {
  if (!ready) ready = signed();
  return ready;
}

async function signed() {
  const url = location.href.split("#")[0];
  const told = await call(`config?url=${encodeURIComponent(url)}`);
  window.ww.register({
    corpId: told.corpId,
    agentId: told.agentId,
    jsApiList: told.jsApiList,
    getConfigSignature: () => told.config,
    getAgentConfigSignature: () => told.agentConfig,
  });
}

// Return the chat that the page stands beside: {kind, id, canSend}; kind "" where there is none,
// `isUnsure` where WeCom did not say.
export async function currentChat() {
  if (!isThere()) return NOWHERE;
  try {
    return await within(FIND_MS, find());
  } catch {
    ready = null;
    return { ...NOWHERE, isUnsure: true };
  }
}

async function find() {
  await register();
  const { entry } = await asked("getContext");
  if (OF_ONE.includes(entry)) {
    const { userId } = await asked("getCurExternalContact");
    return { kind: "customer", id: userId, canSend: TALKS.includes(entry) };
  }
  if (entry === "group_chat_tools") {
    const { chatId } = await asked("getCurExternalChat");
    return { kind: "group", id: chatId, canSend: true };
  }
  return NOWHERE;
}

// Put words into the chat as the member's own. They go to whatever chat stands open now, so it is
// looked at once more: words for one customer must not reach another.
export async function sendWords(text, wanted) {
  const now = await currentChat();
  if (now.isUnsure) throw new Unsent("企业微信没说现在开着哪个聊天，所以没有发。看看网络，再点一次。");
  if (!now.canSend) throw new Unsent("这里发不出去：请从客户聊天的侧边栏里打开这一页。");
  if (now.kind !== wanted.kind || now.id !== wanted.id) {
    throw Object.assign(new Unsent("聊天已经换了，没有发。请看清是哪一位再点。"), { moved: now });
  }
  const message = { msgtype: "text", text: { content: text }, enterChat: true };
  try {
    await within(SEND_MS, asked("sendChatMessage", message));
  } catch (error) {
    throw new Unsent(unsentWords(error));
  }
}

function unsentWords(error) {
  const told = String(error.message);
  if (told === "late") return "企业微信没有回话：先看一眼聊天里有没有这句，没有再点一次。";
  if (/cancel/.test(told)) return "您取消了，没有发出。";
  if (/permission|not in allow list|signature/.test(told)) {
    return "企业微信不让这个页面发消息：请管理员看看应用的可见范围和客户联系权限。";
  }
  return "企业微信没有发出这句，请再点一次；还不行就复制过去发。";
}

// Every call answers with errMsg (err_msg in older clients); only "name:ok" means that it was done.
async function asked(name, params = {}) {
  let answer;
  try {
    answer = await window.ww[name](params);
  } catch (error) {
    throw new Error(String((error && (error.errMsg || error.err_msg || error.message)) || error));
  }
  const told = String((answer && (answer.errMsg || answer.err_msg)) || "");
  if (told !== `${name}:ok`) throw new Error(told || `${name}:fail`);
  return answer;
}

function within(most, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("late")), most);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export async function copyWords(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedByHand(text);
  }
}

// Pages without https have no clipboard of their own.
function copiedByHand(text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "offstage";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
