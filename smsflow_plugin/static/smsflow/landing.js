// Copies the code of an offer. Without this script, or where a browser does not let it, the code can be selected.
(() => {
  const button = document.querySelector('[data-copy]');
  const code = document.querySelector('[data-code]');
  const said = document.querySelector('[data-copied]');
  if (!button || !code || !navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(code.textContent.trim());
      said.textContent = said.dataset.copied;
    } catch {
      button.hidden = true;
      getSelection().selectAllChildren(code);
    }
  });
})();
