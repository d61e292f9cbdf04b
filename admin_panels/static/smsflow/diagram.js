// What a diagram does beyond being seen: it begins in view, and its boxes lead to their blocks in the form around it.
(() => {
  for (const frame of document.querySelectorAll(".sms-diagram__scroll")) {
    frame.scrollLeft = (frame.scrollWidth - frame.clientWidth) / 2;
  }

  const form = window.parent;
  if (form === window) return;

  const open = (block) => {
    const tab = block.closest('[role="tabpanel"]');
    if (tab?.hidden) form.document.querySelector(`[role="tab"][href="#${tab.id}"], [role="tab"][aria-controls="${tab.id}"]`)?.click();
    for (let panel = block; panel; panel = panel.parentElement?.closest("[data-panel]")) {
      const toggle = panel.querySelector("[data-panel-toggle]");
      if (toggle?.getAttribute("aria-expanded") === "false") toggle.click();
    }
    block.scrollIntoView({ block: "center" });
    form.focus();
    // after the click is over: it gives the focus back to the box
    form.setTimeout(() => (block.querySelector("[data-panel-toggle]") ?? block).focus({ preventScroll: true }), 0);
  };

  document.addEventListener("click", (event) => {
    const box = event.target.closest("a[data-block]");
    const block = box && form.document.getElementById(`block-${box.dataset.block}-section`);
    if (!block) return;
    event.preventDefault();
    open(block);
  });
})();
