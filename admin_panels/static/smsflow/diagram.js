// What a diagram does beyond being seen: it begins in view, and its boxes lead to their blocks: in the form around it,
// or, from a page of its own, in the editor, which loads this too and opens the block that its address names.
(() => {
  for (const frame of document.querySelectorAll(".sms-diagram__scroll")) {
    frame.scrollLeft = (frame.scrollWidth - frame.clientWidth) / 2;
  }

  const form = window.parent;

  const open = (block) => {
    const tab = block.closest('[role="tabpanel"]');
    if (tab?.hidden) form.document.querySelector(`[role="tab"][href="#${tab.id}"], [role="tab"][aria-controls="${tab.id}"]`)?.click();
    for (let panel = block; panel; panel = panel.parentElement?.closest("[data-panel]")) {
      const toggle = panel.querySelector("[data-panel-toggle]");
      if (toggle?.getAttribute("aria-expanded") === "false") toggle.click();
    }
    form.focus();
    const heading = block.querySelector("[data-panel-toggle]") ?? block;
    // after the click is over: it gives the focus back to the box, and what opened has grown to its size by then
    form.setTimeout(() => {
      // at once: a long way, made smoothly, is broken off by whatever changes its size meanwhile
      heading.scrollIntoView({ block: "center", behavior: "instant" });
      heading.focus({ preventScroll: true });
    }, 100);
  };

  if (form === window) {
    // the form draws its blocks, and closes some, while the page loads
    window.addEventListener("load", () => {
      const named = document.getElementById(decodeURIComponent(window.location.hash.slice(1)));
      if (named?.id.startsWith("block-")) open(named);
    });
    return;
  }

  document.addEventListener("click", (event) => {
    const box = event.target.closest("a[data-block]");
    const block = box && form.document.getElementById(`block-${box.dataset.block}-section`);
    if (!block) return;
    event.preventDefault();
    open(block);
  });
})();
