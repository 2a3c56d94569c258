// A colleague's chat with the sidebar beside it, in a drawer over the stage: his own WeCom client.

export function clientDrawer() {
  const drawer = document.getElementById("client");
  const frame = drawer.querySelector("iframe");
  const name = document.getElementById("client-name");
  let back = null;

  const shut = () => {
    drawer.hidden = true;
    frame.removeAttribute("src");
    back?.focus();
  };
  document.getElementById("client-close").addEventListener("click", shut);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !drawer.hidden) shut();
  });

  // `what` is a chat, or a page of the app's that a card opens; without it the client opens the
  // app on its own, as from the workbench.
  return (userid, who, what) => {
    if (!userid) return;
    const query = new URLSearchParams({ user: userid, ...(what || {}) });
    back = document.activeElement;
    name.textContent = `${who}的企业微信：聊天和侧边栏`;
    frame.src = `/client?${query}`;
    drawer.hidden = false;
    document.getElementById("client-close").focus();
  };
}
