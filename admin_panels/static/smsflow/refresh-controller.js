/* Fetches a part of the page anew every few seconds; loads the page once when nothing is under way any more. */
(() => {
  const EVERY = 4000;

  class RefreshController extends window.StimulusModule.Controller {
    static values = { url: String };

    connect() {
      this.plan();
    }

    disconnect() {
      clearTimeout(this.timer);
    }

    plan() {
      this.timer = setTimeout(() => this.ask(), EVERY);
    }

    async ask() {
      try {
        const response = await fetch(this.urlValue, {
          headers: { "X-Requested-With": "XMLHttpRequest" },
        });
        if (response.ok) {
          this.element.innerHTML = await response.text();
          if (!this.element.querySelector(".w-status--primary")) {
            window.location.reload();
            return;
          }
        }
      } catch {
        // the connection comes back, or it does not
      }
      this.plan();
    }
  }

  window.wagtail.app.register("smsflow-refresh", RefreshController);
})();
