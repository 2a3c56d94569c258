// WeCom's JS-SDK as a page in the sidebar finds it: `ww.*` by promise, done by the client around it.
(() => {
  const client = new URL(document.currentScript.src).origin;
  const waiting = new Map();
  let count = 0;
  let options = null;
  let signed = null;

  window.addEventListener("message", (event) => {
    if (event.origin !== client || event.source !== window.parent) return;
    const { ww: kind, id, answer } = event.data || {};
    if (kind !== "answer" || !waiting.has(id)) return;
    waiting.get(id)(answer);
    waiting.delete(id);
  });

  function ask(api, params) {
    if (window.parent === window) {
      return Promise.resolve({ errMsg: `${api}:fail not in WeCom`, errCode: 1 });
    }
    return new Promise((resolve) => {
      count += 1;
      waiting.set(count, resolve);
      window.parent.postMessage({ ww: "call", id: count, api, params }, client);
    });
  }

  const isOk = (answer, api) => answer.errMsg === `${api}:ok`;
  const say = (name, answer) => options[name] && options[name](answer);

  async function sign(api, event, getSignature, fields) {
    const url = window.location.href.split("#")[0];
    const given = await getSignature(url);
    const answer = await ask(api, {
      ...fields,
      url,
      timestamp: String(given.timestamp),
      nonceStr: given.nonceStr,
      signature: given.signature,
      jsApiList: options.jsApiList || [],
    });
    say(`${event}${isOk(answer, api) ? "Success" : "Fail"}`, answer);
    say(`${event}Complete`, answer);
    if (!isOk(answer, api)) throw answer;
  }

  async function signAll() {
    if (options.getConfigSignature) await sign("config", "onConfig", options.getConfigSignature, {});
    if (options.getAgentConfigSignature) {
      const fields = { corpid: options.corpId, agentid: String(options.agentId) };
      await sign("agentConfig", "onAgentConfig", options.getAgentConfigSignature, fields);
    }
  }

  // Every API signs the page first if that was not done; it answers by promise and by callbacks.
  async function invoke(api, params = {}) {
    const { success, fail, complete, ...fields } = params;
    let answer;
    try {
      if (!options) throw { errMsg: `${api}:fail not registered`, errCode: 1 };
      if (!signed) signed = signAll();
      await signed;
      answer = await ask(api, fields);
    } catch (error) {
      signed = null;
      answer = { errCode: 1, ...error, errMsg: `${api}:fail ${error.errMsg || error}` };
    }
    const done = isOk(answer, api);
    (done ? success : fail)?.(answer);
    complete?.(answer);
    if (!done) throw answer;
    return answer;
  }

  const apis = ["getContext", "getCurExternalContact", "getCurExternalChat", "sendChatMessage"];
  window.ww = {
    SDK_VERSION: "emulator",
    register(given) {
      options = given;
      signed = null;
    },
    ...Object.fromEntries(apis.map((api) => [api, (params) => invoke(api, params)])),
  };
})();
