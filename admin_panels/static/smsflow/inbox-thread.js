/* Keeps the page of a conversation true: fetches what is new, says that one is here, and loads what was before. */
(() => {
  const EVERY = 3500;
  const HIDDEN = 30000;
  const SLOWEST = 60000;
  /* Of so many questions, one is for the other conversations as well. */
  const RAIL_EVERY = 4;
  /* Nearer to the end than this, the log follows what comes. */
  const NEAR = 80;

  class ThreadController extends window.StimulusModule.Controller {
    static targets = ['log', 'lines', 'head', 'notices', 'person', 'presence', 'spoken', 'jump', 'earlier', 'side', 'rail'];

    static values = { url: String, stamp: String };

    connect() {
      this.isTyping = false;
      this.failures = 0;
      this.pieces = {};
      this.heard = new Set([...this.logTarget.querySelectorAll('.smsflow-line--them')].map((line) => line.id));
      this.down();
      this.logTarget.addEventListener('scroll', this.onScroll, { passive: true });
      const wide = window.matchMedia('(min-width: 64em)');
      if (this.hasSideTarget) this.sideTarget.open = wide.matches;
      this.ask();
    }

    disconnect() {
      clearTimeout(this.timer);
      this.logTarget.removeEventListener('scroll', this.onScroll);
    }

    typed() {
      this.isTyping = true;
    }

    /* The page came to the front: what it shows may be old. */
    wake() {
      if (!document.hidden) this.ask();
    }

    plan() {
      clearTimeout(this.timer);
      const pause = document.hidden ? HIDDEN : EVERY;
      this.timer = setTimeout(() => this.ask(), Math.min(pause * 2 ** this.failures, SLOWEST));
    }

    async ask() {
      clearTimeout(this.timer);
      const data = new URLSearchParams({ stamp: this.stampValue });
      if (this.isTyping) data.set('typing', '1');
      if (!document.hidden) data.set('reading', '1');
      this.isTyping = false;
      try {
        const response = await fetch(this.urlValue, {
          method: 'POST',
          body: data,
          headers: { 'X-CSRFToken': this.token, 'X-Requested-With': 'XMLHttpRequest' },
        });
        if (!response.ok) throw new Error(response.status);
        this.failures = 0;
        this.show(await response.json());
      } catch {
        // the connection comes back, or it does not
        this.failures += 1;
      }
      this.asked = (this.asked ?? 0) + 1;
      if (this.asked % RAIL_EVERY === 1) await this.refreshRail();
      if (this.element.isConnected) this.plan();
    }

    /* The other conversations, for whoever sees them beside this one. */
    async refreshRail() {
      const rail = this.railTarget;
      if (document.hidden || rail.offsetParent === null) return;
      const headers = { 'X-Requested-With': 'XMLHttpRequest' };
      const response = await fetch(rail.dataset.url, { headers }).catch(() => null);
      if (!response?.ok) return;
      const html = await response.text();
      if (html === this.pieces.rail) return;
      this.pieces.rail = html;
      const focused = rail.contains(document.activeElement) ? document.activeElement.id : '';
      rail.innerHTML = html;
      if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
      document.dispatchEvent(new CustomEvent('smsflow-inbox:changed'));
    }

    get token() {
      return this.element.querySelector('[name=csrfmiddlewaretoken]').value;
    }

    show(answer) {
      if (this.presenceTarget.textContent !== answer.presence) this.presenceTarget.textContent = answer.presence;
      if (answer.stamp === this.stampValue) return;
      this.stampValue = answer.stamp;
      if (answer.lines === undefined) return;
      const follows = this.isAtEnd;
      const isNew = this.merge(answer.lines);
      this.put('head', this.headTarget, answer.head);
      this.put('person', this.personTarget, answer.person);
      if (this.hasNoticesTarget) this.put('notices', this.noticesTarget, answer.notices);
      this.dispatch('standing', { detail: { forbidden: answer.forbidden } });
      if (follows) this.down();
      else if (isNew) this.jumpTarget.hidden = false;
      this.say(answer.said);
      // what is new here is new in the list, too
      this.asked = 0;
    }

    /* Whoever is in the middle of a menu is not disturbed for what has not changed. */
    put(name, target, html) {
      if (this.pieces[name] === html) return;
      const isBusy = target.contains(document.activeElement) && this.pieces[name] === undefined;
      this.pieces[name] = html;
      if (isBusy) return;
      target.innerHTML = html;
    }

    /* Put lines in their places, and leave those alone that are as they were. Return whether any is new. */
    merge(html) {
      const incoming = this.parsed(html);
      const lines = incoming.filter((line) => line.dataset.version !== undefined);
      if (!lines.length) return false;
      const known = new Map([...this.linesTarget.children].map((line) => [line.id, line]));
      let isNew = false;
      let last = null;
      for (const line of lines) {
        const old = known.get(line.id);
        let placed = old;
        if (!old) {
          placed = line;
          isNew = isNew || line.classList.contains('smsflow-line--them');
        } else if (old.dataset.version !== line.dataset.version) {
          old.replaceWith(line);
          placed = line;
        }
        if (last) last.after(placed);
        else if (!old) this.linesTarget.append(placed);
        last = placed;
      }
      return isNew;
    }

    parsed(html) {
      const holder = document.createElement('template');
      holder.innerHTML = html;
      return [...holder.content.children];
    }

    say(said) {
      const fresh = said.filter(([id]) => !this.heard.has(`line-${id}`));
      for (const [id] of fresh) this.heard.add(`line-${id}`);
      if (fresh.length) this.spokenTarget.textContent = fresh.map(([, words]) => words).join(' ');
    }

    get isAtEnd() {
      const log = this.logTarget;
      return log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
    }

    onScroll = () => {
      if (this.isAtEnd) this.jumpTarget.hidden = true;
      if (this.logTarget.scrollTop < NEAR && this.hasEarlierTarget) this.loadEarlier();
    };

    down() {
      this.logTarget.scrollTop = this.logTarget.scrollHeight;
      this.jumpTarget.hidden = true;
    }

    earlier() {
      this.loadEarlier();
    }

    async loadEarlier() {
      if (this.isLoading || !this.hasEarlierTarget) return;
      this.isLoading = true;
      const link = this.earlierTarget;
      const hadFocus = document.activeElement === link;
      try {
        const response = await fetch(link.href, { headers: { 'X-Requested-With': 'XMLHttpRequest' } });
        if (response.ok) this.prepend(this.parsed(await response.text()), link.parentElement, hadFocus);
      } catch {
        // the link is still there
      }
      this.isLoading = false;
    }

    prepend(lines, row, hadFocus) {
      const log = this.logTarget;
      const height = log.scrollHeight;
      const top = log.scrollTop;
      // a day that began on the earlier page is announced there
      for (const line of lines) {
        if (line.id && line.id !== row.id) document.getElementById(line.id)?.remove();
      }
      row.replaceWith(...lines);
      for (const line of lines) this.heard.add(line.id);
      log.scrollTop = top + log.scrollHeight - height;
      if (hadFocus) (this.hasEarlierTarget ? this.earlierTarget : log).focus();
    }

    showDialog(event) {
      const dialog = document.getElementById(event.currentTarget.dataset.dialog);
      dialog?.dispatchEvent(new CustomEvent('w-dialog:show'));
    }
  }

  window.wagtail.app.register('smsflow-thread', ThreadController);
})();
