/* The list of names that a text may use: a button, a field to search in, and a button for each name. */
(() => {
  let number = 0;
  const known = new Map();

  const make = (name, className, text = '') => {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text) element.textContent = text;
    if (name === 'button') element.type = 'button';
    return element;
  };

  // A value that is handed to an address, a bracket or a quotation mark is followed by an address without a blank;
  // so is a tag, behind which only some people read on.
  const LEADS_ON = /(?:[\s=([{<"'“‘«]|%\})$/;
  const ADDRESS = /^https?:\/\/|^\{\{\s*(?:[\w.]*[._])?(?:url|link|[a-z]*_url)\b/;
  const WORD_BEFORE = /(?:[\p{L}\p{N}.,;:!?]|\}\})$/u;
  const WORD_BEHIND = /^(?:[\p{L}\p{N}]|\{\{)/u;
  // in an address a name is a part of it
  const IN_ADDRESS = /https?:\/\/[^\s{}]*$/;

  /* The blanks that keep what is put in from sticking to the words, names and addresses around it. */
  const blanksAround = (markup, before, behind) => {
    const touches = ADDRESS.test(markup)
      ? before && !LEADS_ON.test(before)
      : WORD_BEFORE.test(before) && !IN_ADDRESS.test(before);
    const inAddress = !ADDRESS.test(markup) && IN_ADDRESS.test(before);
    return [touches ? ' ' : '', WORD_BEHIND.test(behind) && !inAddress ? ' ' : ''];
  };

  class NamesPicker {
    constructor(textarea, tools, situation) {
      this.textarea = textarea;
      this.tools = tools;
      this.situation = situation;
      number += 1;
      this.build(`smsflow-names-${number}`);
    }

    build(id) {
      const { texts } = this.tools;
      this.button = make('button', 'button button-small button-secondary smsflow-names-picker__open', texts.insertName);
      this.button.setAttribute('aria-expanded', 'false');
      this.button.setAttribute('aria-controls', id);
      this.button.addEventListener('click', () => (this.panel.hidden ? this.open() : this.close()));
      this.panel = make('div', 'smsflow-names-picker');
      this.panel.id = id;
      this.panel.hidden = true;
      this.search = make('input', 'smsflow-names-picker__search');
      this.search.type = 'search';
      this.search.placeholder = texts.searchNames;
      this.search.setAttribute('aria-label', texts.searchNames);
      this.list = make('ul', 'smsflow-names-picker__list');
      this.panel.append(this.search, this.list);
      // what is typed here is no change of the flow
      for (const name of ['input', 'change', 'keyup']) this.search.addEventListener(name, (event) => event.stopPropagation());
      this.search.addEventListener('input', () => this.show());
      this.panel.addEventListener('keydown', (event) => this.onKey(event));
    }

    remove() {
      this.button.remove();
      this.panel.remove();
    }

    async open() {
      this.panel.hidden = false;
      this.button.setAttribute('aria-expanded', 'true');
      this.search.value = '';
      this.names = await this.fetchNames();
      this.show();
      this.search.focus();
    }

    close() {
      this.panel.hidden = true;
      this.button.setAttribute('aria-expanded', 'false');
    }

    async fetchNames() {
      const data = new URLSearchParams(this.situation());
      if (this.tools.flow) data.set('flow', this.tools.flow);
      if (this.tools.store && !data.has('store')) data.set('store', this.tools.store);
      const key = data.toString();
      if (!known.has(key)) {
        const response = await fetch(this.tools.namesUrl, {
          method: 'POST',
          body: data,
          headers: { 'X-CSRFToken': this.tools.token, 'X-Requested-With': 'XMLHttpRequest' },
        });
        if (!response.ok) return this.tools.names;
        known.set(key, (await response.json()).names);
      }
      return known.get(key);
    }

    show() {
      const wanted = this.search.value.trim().toLowerCase();
      const fitting = this.names.filter(({ path, example }) => `${path} ${example}`.toLowerCase().includes(wanted));
      this.list.replaceChildren(...fitting.map((name) => this.item(name)));
      if (!fitting.length) this.list.append(make('li', 'smsflow-names-picker__none', this.tools.texts.noNames));
    }

    item(name) {
      const item = make('li');
      const button = make('button', 'smsflow-names-picker__name');
      button.append(make('code', '', name.path));
      const about = [name.example, name.optional ? this.tools.texts.mayBeMissing : ''].filter(Boolean).join(' · ');
      if (about) button.append(make('span', 'smsflow-names-picker__about', about));
      button.addEventListener('click', () => this.insert(name));
      item.append(button);
      return item;
    }

    /* Puts the name in at the cursor. Where it may be missing, the words for that are selected, to be typed over. */
    insert({ path, optional, example, insert }) {
      const words = this.tools.texts.instead;
      const markup = insert || (optional ? `{{ ${path} | default: '${words}' }}` : `{{ ${path} }}`);
      const { textarea } = this;
      const { selectionStart: start, selectionEnd: end, value } = textarea;
      const [front, back] = blanksAround(markup, value.slice(0, start), value.slice(end));
      textarea.focus();
      textarea.setRangeText(front + markup + back, start, end, 'end');
      if (optional && !insert) {
        const at = start + front.length + markup.indexOf(words, path.length);
        textarea.setSelectionRange(at, at + words.length);
      }
      this.close();
      textarea.dispatchEvent(new Event('input', { bubbles: true }));
      textarea.dispatchEvent(new Event('change', { bubbles: true }));
    }

    onKey(event) {
      const stops = [this.search, ...this.list.querySelectorAll('button')];
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (event.key === 'Escape') {
        event.preventDefault();
        this.close();
        this.button.focus();
      } else if (step) {
        event.preventDefault();
        const next = stops.indexOf(document.activeElement) + step;
        stops[Math.max(0, Math.min(next, stops.length - 1))].focus();
      } else if (event.key === 'Enter' && document.activeElement === this.search) {
        event.preventDefault();
        stops[1]?.click();
      }
    }
  }

  window.smsflowNames = { NamesPicker };
})();
