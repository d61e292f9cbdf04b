/* Fetches the list of conversations anew while it is looked at. Whoever has a row in focus keeps it. */
(() => {
  const EVERY = 5000;

  class InboxListController extends window.StimulusModule.Controller {
    static targets = ['list'];

    connect() {
      this.onWake = () => {
        if (!document.hidden) this.ask();
      };
      document.addEventListener('visibilitychange', this.onWake);
      this.plan();
    }

    disconnect() {
      clearTimeout(this.timer);
      document.removeEventListener('visibilitychange', this.onWake);
    }

    plan() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.ask(), EVERY);
    }

    async ask() {
      clearTimeout(this.timer);
      if (!document.hidden && this.hasListTarget) await this.refresh(this.listTarget).catch(() => {});
      if (this.element.isConnected) this.plan();
    }

    async refresh(list) {
      const response = await fetch(list.dataset.url, { headers: { 'X-Requested-With': 'XMLHttpRequest' } });
      if (!response.ok) return;
      const holder = document.createElement('template');
      holder.innerHTML = await response.text();
      const fresh = holder.content.querySelector('[data-smsflow-inbox-list-target=list]');
      // somebody may have searched, or chosen another part, in the meantime
      if (!fresh || !list.isConnected || fresh.dataset.url !== list.dataset.url || fresh.innerHTML === list.innerHTML) return;
      const focused = list.contains(document.activeElement) ? document.activeElement.id : '';
      list.replaceWith(fresh);
      if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
      document.dispatchEvent(new CustomEvent('smsflow-inbox:changed'));
    }
  }

  window.wagtail.app.register('smsflow-inbox-list', InboxListController);
})();
