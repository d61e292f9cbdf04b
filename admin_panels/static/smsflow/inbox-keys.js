/* Single keys in the inbox. They are those of mail programs; in fields and with other keys held, they mean nothing. */
(() => {
  class KeysController extends window.StimulusModule.Controller {
    static targets = ['row', 'close'];

    static values = { help: String, back: String };

    press(event) {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      const { target } = event;
      if (target instanceof Element && target.closest('input, textarea, select, [contenteditable], [role=combobox], dialog')) return;
      if (document.querySelector('.w-dialog[aria-hidden=false], .w-dialog:not([aria-hidden])')) return;
      const doings = {
        j: () => this.step(1),
        k: () => this.step(-1),
        r: () => this.composer?.answer(),
        n: () => this.composer?.jot(),
        e: () => this.hasCloseTarget && this.closeTarget.click(),
        u: () => this.backValue && window.location.assign(this.backValue),
        '?': () => this.help(),
      };
      if (target === document.body || this.isRow(target)) {
        doings.ArrowDown = doings.j;
        doings.ArrowUp = doings.k;
      }
      if (!Object.hasOwn(doings, event.key)) return;
      // Wagtail has keys of its own; the inbox's come first here
      event.preventDefault();
      event.stopPropagation();
      doings[event.key]();
    }

    isRow(element) {
      return this.rowTargets.includes(element);
    }

    get composer() {
      return this.element.querySelector('[data-controller~=smsflow-composer]')?.controller;
    }

    /* In the list: to the next row. Beside an open conversation: from it to the next one, and open that. */
    step(by) {
      const rows = this.rowTargets.filter((row) => row.offsetParent !== null || this.backValue);
      if (!rows.length) return;
      const here = rows.findIndex((row) => (this.backValue ? row.getAttribute('aria-current') : row === document.activeElement));
      const next = rows[Math.min(rows.length - 1, Math.max(0, here === -1 ? 0 : here + by))];
      if (!this.backValue) next.focus();
      else if (!next.getAttribute('aria-current')) window.location.assign(next.href);
    }

    help() {
      document.getElementById(this.helpValue)?.dispatchEvent(new CustomEvent('w-dialog:show'));
    }
  }

  window.wagtail.app.register('smsflow-keys', KeysController);
})();
