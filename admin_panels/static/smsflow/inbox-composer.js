/* Where staff writes: counts the parts of a text, offers canned replies, and sends once. */
(() => {
  const fill = (sentence, values) => sentence.replace(/%\((\w+)\)s/g, (_, name) => values[name]);

  class ComposerController extends window.StimulusModule.Controller {
    static targets = ['tab', 'panel', 'body', 'note', 'count', 'canned', 'search', 'choices', 'button', 'sendButton'];

    static values = { url: String, one: String, many: String, shorter: String, none: String, forbidden: Boolean };

    connect() {
      const tables = JSON.parse(document.getElementById('smsflow-parts').textContent);
      this.counter = window.smsflowParts.makeCounter(tables);
      // the keys of the page find the composer here
      this.element.controller = this;
      document.addEventListener('smsflow-thread:standing', this.onStanding);
      window.addEventListener('pageshow', this.onPageShow);
      this.open(this.tabTargets.findIndex((tab) => tab.getAttribute('aria-selected') === 'true'));
      this.fit();
      this.showCount();
      if (window.matchMedia('(min-width: 64em)').matches && this.bodyTarget.value) this.bodyTarget.focus();
    }

    disconnect() {
      document.removeEventListener('smsflow-thread:standing', this.onStanding);
      window.removeEventListener('pageshow', this.onPageShow);
    }

    /* Tabs ------------------------------------------------------------------------------------- */

    choose(event) {
      this.open(this.tabTargets.indexOf(event.currentTarget));
    }

    other(event) {
      event.preventDefault();
      this.open(1 - this.tabTargets.indexOf(event.currentTarget));
      this.tabTargets.find((tab) => tab.getAttribute('aria-selected') === 'true').focus();
    }

    open(number) {
      this.tabTargets.forEach((tab, index) => {
        tab.setAttribute('aria-selected', String(index === number));
        tab.tabIndex = index === number ? 0 : -1;
        this.panelTargets[index].dataset.away = String(index !== number);
      });
    }

    answer() {
      this.open(0);
      this.bodyTarget.focus();
    }

    jot() {
      this.open(1);
      this.noteTarget.focus();
    }

    /* The answer ------------------------------------------------------------------------------- */

    write() {
      this.fit();
      this.showCount();
      this.dispatch('typed');
    }

    fit() {
      const area = this.bodyTarget;
      area.rows = Math.min(10, Math.max(3, area.value.split('\n').length));
    }

    showCount() {
      const written = this.bodyTarget.value.trim();
      if (!written) {
        this.countTarget.textContent = '';
        return;
      }
      const { characters, parts, forcedBy } = this.counter.count(this.counter.toGsm(written));
      const said = [fill(parts === 1 ? this.oneValue : this.manyValue, { characters, parts })];
      if (forcedBy.length) said.push(fill(this.shorterValue, { character: forcedBy[0] }));
      this.countTarget.textContent = said.join(' · ');
      this.countTarget.classList.toggle('smsflow-composer__count--dear', parts > 1);
    }

    key(event) {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        this.bodyTarget.form.requestSubmit(this.sendButtonTarget);
      } else if (event.key === '/' && !this.bodyTarget.value && !event.isComposing) {
        event.preventDefault();
        this.openCanned();
      } else if (event.key === 'Escape') {
        this.bodyTarget.blur();
      }
    }

    noteKey(event) {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        this.noteTarget.form.requestSubmit();
      } else if (event.key === 'Escape') {
        this.noteTarget.blur();
      }
    }

    /* The key in the form makes two presses one text; this only spares the second page. */
    send(event) {
      if (this.isSent) {
        event.preventDefault();
        return;
      }
      this.isSent = true;
    }

    /* Come back to with the browser's own button, the form may be sent anew: its key is the old one. */
    onPageShow = (event) => {
      if (event.persisted) window.location.reload();
    };

    onStanding = ({ detail }) => {
      this.forbiddenValue = detail.forbidden;
    };

    forbiddenValueChanged() {
      this.bodyTarget.disabled = this.forbiddenValue;
      for (const button of this.buttonTargets) button.disabled = this.forbiddenValue;
    }

    /* Canned replies --------------------------------------------------------------------------- */

    async openCanned() {
      if (!this.replies) {
        const response = await fetch(this.urlValue, { headers: { 'X-Requested-With': 'XMLHttpRequest' } }).catch(() => null);
        if (!response?.ok) return;
        this.replies = (await response.json()).replies;
      }
      this.cannedTarget.hidden = false;
      this.searchTarget.value = '';
      this.filter();
      this.searchTarget.focus();
    }

    closeCanned() {
      this.cannedTarget.hidden = true;
      this.bodyTarget.focus();
    }

    filter() {
      const words = this.searchTarget.value.toLowerCase().split(/\s+/);
      const fits = ({ name, body }) => words.every((word) => `${name} ${body}`.toLowerCase().includes(word));
      this.shown = this.replies.filter(fits);
      this.choicesTarget.replaceChildren(
        ...this.shown.map((reply, index) => this.choice(reply, index)),
        ...(this.shown.length ? [] : [this.nothing()]),
      );
      this.mark(0);
    }

    choice({ name, body }, index) {
      const item = document.createElement('li');
      item.id = `smsflow-canned-${index}`;
      item.setAttribute('role', 'option');
      const title = document.createElement('strong');
      title.textContent = name;
      const words = document.createElement('span');
      words.textContent = body;
      item.append(title, words);
      item.addEventListener('mousedown', (event) => {
        event.preventDefault();
        this.take(index);
      });
      return item;
    }

    nothing() {
      const item = document.createElement('li');
      item.className = 'smsflow-canned__none';
      item.setAttribute('role', 'option');
      item.setAttribute('aria-disabled', 'true');
      item.setAttribute('aria-selected', 'false');
      item.textContent = this.noneValue;
      return item;
    }

    mark(number) {
      this.marked = number;
      [...this.choicesTarget.children].forEach((item, index) => {
        if (index < this.shown.length) item.setAttribute('aria-selected', String(index === number));
      });
      const marked = this.shown.length ? this.choicesTarget.children[number] : null;
      if (marked) this.searchTarget.setAttribute('aria-activedescendant', marked.id);
      else this.searchTarget.removeAttribute('aria-activedescendant');
      marked?.scrollIntoView({ block: 'nearest' });
    }

    cannedKey(event) {
      const count = this.shown.length;
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
        event.preventDefault();
        if (count) this.mark((this.marked + (event.key === 'ArrowDown' ? 1 : count - 1)) % count);
      } else if (event.key === 'Enter') {
        event.preventDefault();
        if (count) this.take(this.marked);
      } else if (event.key === 'Escape') {
        event.preventDefault();
        this.closeCanned();
      }
    }

    take(number) {
      const area = this.bodyTarget;
      const { body } = this.shown[number];
      this.closeCanned();
      area.setRangeText(body, area.selectionStart, area.selectionEnd, 'end');
      area.dispatchEvent(new Event('input', { bubbles: true }));
    }
  }

  window.wagtail.app.register('smsflow-composer', ComposerController);
})();
