/*
 * The counter below every text area for copy: what the text will cost, what makes it dear, and what an editor
 * would say. Counting needs no server; values of real people and the rules of the store do, so they follow.
 */
(() => {
  const PAUSE = 400;
  const TOOLS = 'smsflow-copy-tools';
  const OUTPUT = /\{\{-?\s*([\w.[\]]+)\s*((?:\|[^}]*)?)-?\}\}/g;
  const DEFAULT = /\|\s*default:\s*(?:'([^']*)'|"([^"]*)")/;

  let tools;
  /* The page's own settings, texts and names, once they have been read. */
  const getTools = () => {
    if (tools === undefined) {
      const data = document.getElementById(TOOLS);
      tools = data ? JSON.parse(data.textContent) : null;
      if (tools) tools.counter = window.smsflowParts.makeCounter(tools.tables);
    }
    return tools;
  };

  /* One question at a time: a page may hold forty texts. */
  let queue = Promise.resolve();

  const make = (name, className, text = '') => {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text) element.textContent = text;
    if (name === 'button') element.type = 'button';
    return element;
  };

  const fill = (sentence, values) => sentence.replace(/%\((\w+)\)s/g, (_, name) => values[name]);

  const isDeleted = (form, prefix) => Boolean(form.elements.namedItem(`${prefix}-deleted`)?.value);

  /* What the form says now about how the flow starts and what it gathers, saved or not. */
  const situation = (form) => {
    const facts = [];
    const add = (name, value) => facts.push([name, value]);
    for (const field of form?.elements ?? []) {
      const trigger = /^(triggers-\d+)-type$/.exec(field.name);
      if (trigger && !isDeleted(form, trigger[1])) {
        const of = (name) => form.elements.namedItem(`${trigger[1]}-value-${name}`)?.value ?? '';
        add('trigger', `${field.value}:${of('kind') || of('change')}`);
      }
      const gathered = /^(steps-.*)-value-(save_as|score_as|name)$/.exec(field.name);
      if (gathered && field.value) {
        const type = form.elements.namedItem(`${gathered[1]}-type`)?.value ?? '';
        add('gathered', `${type}:${field.value}`);
      }
    }
    for (const name of ['store', 'message_class']) {
      const value = form?.elements.namedItem(name)?.value;
      if (value) add(name, value);
    }
    return facts;
  };

  class Counter extends window.StimulusModule.Controller {
    static values = { kind: { type: String, default: 'text' }, language: String };

    connect() {
      if (!getTools()) return;
      this.build();
      this.element.addEventListener('input', this.onInput);
      this.showRough();
      this.observer = new IntersectionObserver((entries) => {
        if (entries.some((entry) => entry.isIntersecting)) {
          this.observer.disconnect();
          this.askLater(0);
        }
      });
      this.observer.observe(this.element);
    }

    disconnect() {
      clearTimeout(this.timer);
      this.observer?.disconnect();
      this.picker?.remove();
      this.box?.remove();
      this.element.removeEventListener('input', this.onInput);
    }

    onInput = () => {
      this.showRough();
      this.askLater(PAUSE);
    };

    get counts() {
      return this.kindValue !== 'mail';
    }

    get language() {
      // in a translation, the choice of the language stands beside the text
      const beside = this.element.form?.elements.namedItem(this.element.name.replace(/[^-]+$/, 'language'));
      return beside?.value || this.languageValue || tools.language;
    }

    get messageClass() {
      return this.element.form?.elements.namedItem('message_class')?.value || tools.messageClass;
    }

    get fallback() {
      if (!/text$/.test(this.element.name)) return '';
      return this.element.form?.elements.namedItem(this.element.name.replace(/text$/, 'fallback'))?.value ?? '';
    }

    build() {
      this.box = make('div', 'smsflow-counter');
      this.box.id = `${this.element.id || this.element.name}-counter`;
      this.bar = make('div', 'smsflow-counter__bar');
      this.lines = make('div', 'smsflow-counter__lines');
      this.picker = new window.smsflowNames.NamesPicker(this.element, tools, () => situation(this.element.form));
      this.bar.append(this.lines, this.picker.button);
      this.characters = make('ul', 'smsflow-counter__characters');
      this.hints = make('ul', 'smsflow-counter__hints');
      // said once the person pauses, not with every key
      this.hints.setAttribute('aria-live', 'polite');
      this.box.append(this.bar, this.picker.panel, this.characters, this.hints);
      this.element.after(this.box);
    }

    /* At once, in the browser: the text with the examples filled in. */
    showRough() {
      if (!this.counts) return;
      const { counter, texts } = tools;
      const written = this.element.value;
      this.showCharacters(counter.count(written.replace(OUTPUT, '')).forcedBy);
      this.lines.replaceChildren();
      if (!written.trim()) return;
      this.showLine(texts.typical, counter.count(counter.toGsm(this.dressed(this.filled(written)))));
      this.lines.lastChild.classList.add('smsflow-counter__line--rough');
    }

    filled(source) {
      const known = source.replace(OUTPUT, (_, path, filters) => {
        const words = DEFAULT.exec(filters);
        return tools.examples[path] ?? words?.[1] ?? words?.[2] ?? '';
      });
      return known.replace(/\{%.*?%\}/gs, '').trim();
    }

    dressed(text) {
      // what answers a text by itself names the brand, and says nothing of opting out
      const { messageClass } = this;
      if (messageClass !== 'marketing' && messageClass !== 'answer') return text;
      const { brand, optOut } = tools;
      const said = text.toLowerCase().startsWith(brand.toLowerCase());
      const words = optOut[this.language.split(/[-_]/)[0]] ?? optOut.en;
      return (brand && !said ? `${brand}: ` : '') + text + (messageClass === 'answer' || /\bSTOP\b/.test(text) ? '' : `\n${words}`);
    }

    showLine(label, { parts, encoding, characters, cost }) {
      const { texts } = tools;
      const values = { label, characters, parts, encoding, cost };
      const sentence = parts === 1 ? texts.one : texts.many;
      const line = make('p', 'smsflow-counter__line', fill(sentence, values) + (cost ? ` · ${fill(texts.cost, values)}` : ''));
      if (parts > 1) line.classList.add('smsflow-counter__line--dear');
      this.lines.append(line);
    }

    /* Names what is not in the alphabet, with a button that puts something else in its place. */
    showCharacters(forcedBy) {
      const { counter, texts } = tools;
      this.characters.replaceChildren();
      const plain = forcedBy.every((character) => counter.isGsm(counter.toPlain(character) || 'a'));
      for (const character of forcedBy.slice(0, 8)) {
        const item = make('li', 'smsflow-counter__character');
        const label = character.trim() ? character : `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
        item.append(fill(plain ? texts.becomesPlain : texts.forces, { character: label }), ' ');
        const words = counter.standIn(character.normalize('NFC'));
        if (words !== null) {
          const sentence = words ? texts.replaceWith : texts.leaveOut;
          const button = make('button', 'button button-small button-secondary', fill(sentence, { character: label, words }));
          button.addEventListener('click', () => this.change(counter.replace(this.element.value, character, words)));
          item.append(button);
        }
        this.characters.append(item);
      }
      // letters of names are for a click of their own
      const swaps = forcedBy.filter(
        (character) => !/\p{L}/u.test(character) && counter.standIn(character.normalize('NFC')) !== null,
      );
      if (swaps.length > 1) {
        const item = make('li', 'smsflow-counter__character');
        const button = make('button', 'button button-small', texts.replaceAll);
        button.addEventListener('click', () =>
          this.change(
            swaps.reduce(
              (text, character) => counter.replace(text, character, counter.standIn(character.normalize('NFC'))),
              this.element.value,
            ),
          ),
        );
        item.append(button);
        this.characters.append(item);
      }
    }

    change(text) {
      this.element.value = text;
      this.element.focus();
      this.element.dispatchEvent(new Event('input', { bubbles: true }));
      this.element.dispatchEvent(new Event('change', { bubbles: true }));
    }

    askLater(pause) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => {
        queue = queue.then(() => this.ask()).catch(() => {});
      }, pause);
    }

    /* What the server makes of it: real values, the store's rules, Liquid's errors, an editor's hints. */
    async ask() {
      const source = this.element.value;
      if (!source.trim() || !this.element.isConnected) {
        this.hints.replaceChildren();
        return;
      }
      const data = new URLSearchParams(situation(this.element.form));
      data.set('copy', source);
      data.set('kind', this.kindValue);
      data.set('language', this.language);
      data.set('has_fallback', this.fallback.trim() ? '1' : '');
      if (!data.has('message_class')) data.set('message_class', tools.messageClass);
      if (tools.flow) data.set('flow', tools.flow);
      if (tools.store && !data.has('store')) data.set('store', tools.store);
      const response = await fetch(tools.lookUrl, {
        method: 'POST',
        body: data,
        headers: { 'X-CSRFToken': tools.token, 'X-Requested-With': 'XMLHttpRequest' },
      });
      // somebody went on typing: the next answer is on its way
      if (!response.ok || source !== this.element.value) return;
      this.show(await response.json());
    }

    show({ typical, longest, problems, hints }) {
      const { texts } = tools;
      if (this.counts && typical) {
        this.lines.replaceChildren();
        this.showLine(texts.typical, typical);
        if (longest) this.showLine(texts.longest, longest);
      }
      this.hints.replaceChildren();
      for (const note of [...problems, ...hints]) this.showNote(note, problems.includes(note));
    }

    showNote({ message, start, end, where }, wrong) {
      const item = make('li', wrong ? 'smsflow-counter__hint smsflow-counter__hint--wrong' : 'smsflow-counter__hint');
      item.append(wrong ? `${tools.texts.wrong} ` : `${tools.texts.hint} `, message);
      if (where) item.append(` (${where})`);
      if (end > start) {
        const button = make('button', 'smsflow-counter__show', tools.texts.show);
        button.addEventListener('click', () => {
          this.element.focus();
          // the server counts characters, the text area UTF-16 units
          const units = (count) => [...this.element.value].slice(0, count).join('').length;
          this.element.setSelectionRange(units(start), units(end));
        });
        item.append(' ', button);
      }
      this.hints.append(item);
    }
  }

  window.wagtail.app.register('sms-counter', Counter);
})();
