/**
 * Keeps a page up to date without disturbing anybody who reads it or types in it.
 *
 * Asks for a fragment every few seconds and puts what is new in place. Children of a
 * region are matched by their ids: what did not change is not touched, so that the focus
 * stays, a selection stays, and a screen reader announces new texts only.
 */
class RefreshController extends window.StimulusModule.Controller {
  static targets = ['region'];

  static values = { url: String, interval: { type: Number, default: 3000 } };

  connect() {
    this.regionTargets.forEach((region) => this.scrollToEnd(region));
    this.timer = setInterval(() => this.refresh(), this.intervalValue);
  }

  disconnect() {
    clearInterval(this.timer);
  }

  async refresh() {
    if (document.hidden || this.asking) return;
    this.asking = true;
    try {
      const response = await fetch(this.urlValue, { headers: { 'X-Requested-With': 'XMLHttpRequest' } });
      // after a log-out there is no fragment, and the page stays as it is
      if (response.ok && !response.redirected) this.put(await response.text());
    } catch {
      // the site is being restarted: the next question may be answered
    } finally {
      this.asking = false;
    }
  }

  put(html) {
    const fragment = new DOMParser().parseFromString(html, 'text/html');
    this.regionTargets.forEach((region) => {
      const fresh = fragment.getElementById(region.id);
      if (fresh) this.update(region, fresh);
    });
  }

  update(region, fresh) {
    const atEnd = region.scrollHeight - region.scrollTop - region.clientHeight < 40;
    const wanted = new Set([...fresh.children].map((child) => child.id));
    [...region.children].filter((child) => !wanted.has(child.id)).forEach((child) => child.remove());
    [...fresh.children].forEach((child, place) => {
      const present = region.children[place];
      if (present?.id !== child.id) {
        region.insertBefore(document.getElementById(child.id) || child.cloneNode(true), present || null);
      } else if (present.innerHTML !== child.innerHTML || present.className !== child.className) {
        present.replaceWith(child.cloneNode(true));
      }
    });
    if (atEnd) this.scrollToEnd(region);
  }

  scrollToEnd(region) {
    if (region.dataset.newestLast !== undefined) region.scrollTop = region.scrollHeight;
  }
}

window.wagtail.app.register('sms-refresh', RefreshController);
