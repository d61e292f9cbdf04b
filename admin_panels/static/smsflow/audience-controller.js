/**
 * Shows how many people match the rules of the form around it, while they are changed.
 *
 * Sends the form as it stands a moment after the last change, and puts the answer in
 * place. An answer that a newer question has overtaken is thrown away.
 */
class AudienceController extends window.StimulusModule.Controller {
  static targets = ['answer', 'trouble'];

  static values = { url: String, pk: String, delay: { type: Number, default: 600 } };

  connect() {
    this.form = this.element.closest('form');
    if (!this.form) return;
    this.changed = () => this.later();
    ['input', 'change'].forEach((name) => this.form.addEventListener(name, this.changed));
    // rules that are added, moved or deleted send no event of their own
    this.observer = new MutationObserver((changes) => {
      if (changes.some((change) => !this.element.contains(change.target))) this.later();
    });
    this.observer.observe(this.form, { childList: true, subtree: true });
    this.ask();
  }

  disconnect() {
    clearTimeout(this.timer);
    this.observer?.disconnect();
    if (this.form) ['input', 'change'].forEach((name) => this.form.removeEventListener(name, this.changed));
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), this.delayValue);
  }

  list() {
    this.ask({ list: true });
  }

  async ask({ list = false } = {}) {
    const data = new FormData(this.form);
    // a large form is drawn after this has been connected; the rules bring their own change when they come
    if (!['audience-count', 'rules-count'].some((name) => data.has(name))) return;
    data.set('audience-pk', this.pkValue);
    if (list) data.set('audience-list', '1');
    const question = new URLSearchParams([...data].filter(([, value]) => typeof value === 'string'));
    const asked = question.toString();
    // the picker and other parts of the page change the form without changing what it says
    if (asked === this.asked) return;
    this.asked = asked;
    if (!this.pkValue && this.form.elements.store && !this.form.elements.store.value) return;
    try {
      const response = await fetch(this.urlValue, {
        method: 'POST',
        body: question,
        headers: { 'X-Requested-With': 'XMLHttpRequest', 'X-CSRFToken': data.get('csrfmiddlewaretoken') },
      });
      if (asked !== this.asked) return;
      if (!response.ok || response.redirected) throw new Error(response.statusText);
      const html = await response.text();
      if (asked !== this.asked) return;
      this.answerTarget.innerHTML = html;
      this.troubleTarget.hidden = true;
    } catch {
      this.troubleTarget.hidden = false;
    }
  }
}

window.wagtail.app.register('sms-audience', AudienceController);
