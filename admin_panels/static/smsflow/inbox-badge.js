/* The number of conversations that wait, beside the inbox's line in the menu. */
(() => {
  const EVERY = 30000;
  /* The menu may be drawn anew at any time, with the number that it had first. */
  let known = null;

  class BadgeController extends window.StimulusModule.Controller {
    static values = { url: String, waiting: Number, label: String };

    connect() {
      this.name = this.element.textContent.trim();
      this.show(known ?? this.waitingValue);
      this.onChange = () => this.ask();
      document.addEventListener('smsflow-inbox:changed', this.onChange);
      document.addEventListener('visibilitychange', this.onChange);
      this.timer = setInterval(() => this.ask(), EVERY);
    }

    disconnect() {
      clearInterval(this.timer);
      document.removeEventListener('smsflow-inbox:changed', this.onChange);
      document.removeEventListener('visibilitychange', this.onChange);
    }

    async ask() {
      if (document.hidden) return;
      const response = await fetch(this.urlValue, { headers: { 'X-Requested-With': 'XMLHttpRequest' } }).catch(() => null);
      if (response?.ok) this.show((await response.json()).waiting);
    }

    show(waiting) {
      known = waiting;
      const count = waiting > 99 ? '99+' : String(waiting);
      if (waiting) {
        this.element.dataset.waiting = count;
        this.element.setAttribute('aria-label', this.labelValue.replace('{count}', count));
      } else {
        delete this.element.dataset.waiting;
        this.element.removeAttribute('aria-label');
      }
    }
  }

  window.wagtail.app.register('smsflow-badge', BadgeController);
})();
