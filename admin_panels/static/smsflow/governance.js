/**
 * What the page of rules needs beside forms: rows that come and go, flows that change places,
 * a week that is drawn, and the notice that there is a draft.
 */

/** Tells the form around an element that something has changed that fires no event of its own. */
const changed = (element) => element.dispatchEvent(new Event('change', { bubbles: true }));

/** Adds and removes rows. The number of a new row is one that none has had. */
class RowsController extends window.StimulusModule.Controller {
  static targets = ['list', 'row', 'empty', 'add'];

  static values = { next: Number, number: String, place: String, remove: String };

  connect() {
    this.name();
  }

  add() {
    const html = this.emptyTarget.innerHTML
      .replaceAll(this.numberValue, this.nextValue)
      .replaceAll(this.placeValue, this.nextValue + 1);
    this.nextValue += 1;
    this.listTarget.insertAdjacentHTML('beforeend', html);
    this.name();
    this.listTarget.lastElementChild.querySelector('input:not([type="hidden"]), select').focus();
  }

  remove(event) {
    const row = event.currentTarget.closest('li');
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    this.name();
    (next?.querySelector('[data-remove]') ?? this.addTarget).focus();
    changed(this.element);
  }

  /** Names each row's button after its place, as it stands now. */
  name() {
    this.rowTargets.forEach((row, at) => {
      row.querySelector('[data-remove]').setAttribute('aria-label', this.removeValue.replace('%(number)s', at + 1));
    });
  }
}

/** Moves flows within their class, by dragging or by buttons, and says where they are. */
class OrderController extends window.StimulusModule.Controller {
  static targets = ['list', 'line', 'said'];

  static values = { moved: String };

  up(event) {
    const line = this.of(event);
    line.previousElementSibling?.before(line);
    this.tell(line, event);
  }

  down(event) {
    const line = this.of(event);
    line.nextElementSibling?.after(line);
    this.tell(line, event);
  }

  take(event) {
    this.moving = this.of(event);
    this.moving.classList.add('smsflow-order__line--moving');
    event.dataTransfer.effectAllowed = 'move';
    event.dataTransfer.setData('text/plain', this.moving.dataset.name);
  }

  over(event) {
    const line = this.of(event);
    if (!this.moving || line.parentElement !== this.moving.parentElement) return;
    event.preventDefault();
    if (line === this.moving) return;
    const box = line.getBoundingClientRect();
    if (event.clientY < box.top + box.height / 2) line.before(this.moving);
    else line.after(this.moving);
  }

  drop() {
    if (!this.moving) return;
    this.moving.classList.remove('smsflow-order__line--moving');
    this.tell(this.moving);
    this.moving = null;
  }

  of(event) {
    return event.currentTarget.closest('li');
  }

  tell(line, event) {
    // moving an element takes the focus from what is in it
    event?.currentTarget.focus();
    const lines = [...line.parentElement.children];
    this.saidTarget.textContent = this.movedValue
      .replace('{flow}', line.dataset.name)
      .replace('{place}', lines.indexOf(line) + 1)
      .replace('{count}', lines.length);
    changed(line);
  }
}

const DAY = 24 * 60;

/** The picture is as wide as it is shown, so that its words are never smaller than they are meant to be. */
const WIDEST = 700;
const NAMES = 90;
const MARGIN = 10;

/** Draws the week: the store's hours as bars, what the law leaves open as dashed frames. */
class WeekController extends window.StimulusModule.Controller {
  static targets = ['own', 'day', 'place', 'law', 'picture'];

  static values = { store: String, law: String, closed: String };

  connect() {
    const floors = document.getElementById(this.pictureTarget.dataset.floors);
    this.floors = floors ? JSON.parse(floors.textContent) : {};
    this.draw();
  }

  copy(event) {
    const from = event.currentTarget.closest('[data-sms-week-target="day"]');
    this.dayTargets.forEach((day) => {
      ['from', 'until'].forEach((part) => {
        this.part(day, part).value = this.part(from, part).value;
      });
      this.part(day, 'closed').checked = this.part(from, 'closed').checked;
    });
    this.draw();
    changed(from);
  }

  draw() {
    this.element.classList.toggle('smsflow-week--own', this.ownTarget.checked);
    const law = this.hasPlaceTarget ? this.floors[this.placeTarget.value] : null;
    this.width = Math.min(this.pictureTarget.clientWidth || WIDEST, WIDEST);
    const svg = this.element_('svg', { viewBox: `0 0 ${this.width} 200` });
    for (let hour = 0; hour <= 24; hour += 4) {
      const x = this.x(hour * 60);
      svg.append(this.element_('line', { x1: x, x2: x, y1: 14, y2: 196, class: 'smsflow-week__grid' }));
      svg.append(this.text(x, 10, hour, 'middle'));
    }
    this.dayTargets.forEach((day, at) => {
      const y = 18 + at * 26;
      this.part(day, 'from').disabled = this.part(day, 'closed').checked;
      this.part(day, 'until').disabled = this.part(day, 'closed').checked;
      svg.append(this.text(0, y + 14, day.getAttribute('aria-label'), 'start'));
      this.bars(at).forEach(([start, end]) => svg.append(this.bar(start, end, y + 3, 14, 'smsflow-week__bar')));
      if (law?.[at]) svg.append(this.bar(...law[at], y, 20, 'smsflow-week__law'));
    });
    this.pictureTarget.replaceChildren(svg);
    if (this.hasLawTarget) this.lawTarget.textContent = law ? this.words(law) : '';
  }

  /** The hours of a day: its own, and what of the night before reaches into it. */
  bars(at) {
    const own = this.minutes(this.dayTargets[at]);
    const before = this.minutes(this.dayTargets[(at + 6) % 7]);
    const bars = own ? [[own[0], own[1] > own[0] ? own[1] : DAY]] : [];
    if (before && before[1] < before[0] && before[1] > 0) bars.push([0, before[1]]);
    return bars;
  }

  minutes(day) {
    const [from, until] = ['from', 'until'].map((part) => {
      const [hours, minutes] = this.part(day, part).value.split(':').map(Number);
      return hours * 60 + minutes;
    });
    const known = !this.part(day, 'closed').checked && Number.isFinite(from) && Number.isFinite(until);
    return known && from !== until ? [from, until] : null;
  }

  words(law) {
    const clock = (at) => [Math.floor(at / 60), at % 60].map((part) => String(part).padStart(2, '0')).join(':');
    const span = (day) => (day ? day.map(clock).join('–') : this.closedValue);
    const days = this.dayTargets.map((day, at) => `${day.getAttribute('aria-label')} ${span(law[at])}`);
    return `${this.lawValue}: ${days.join(', ')}`;
  }

  part(day, name) {
    return day.querySelector(`[data-part="${name}"]`);
  }

  x(minutes) {
    return NAMES + (minutes / DAY) * (this.width - NAMES - MARGIN);
  }

  bar(start, end, y, height, name) {
    return this.element_('rect', { x: this.x(start), y, width: this.x(end) - this.x(start), height, rx: 3, class: name });
  }

  text(x, y, words, anchor) {
    const text = this.element_('text', { x, y, 'text-anchor': anchor });
    text.textContent = words;
    return text;
  }

  element_(name, attributes) {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    return made;
  }
}

/**
 * Shows that there is a draft as soon as one has been saved, and sees to it that what is typed at once is saved, too:
 * Wagtail takes what stands in a form two seconds after it was opened for what stood there before.
 */
class DraftController extends window.StimulusModule.Controller {
  /** Somebody has changed something. */
  touch() {
    this.touched = true;
  }

  /** From now on Wagtail sees changes by itself. What was changed before this first time has to be said. */
  watch(event) {
    if (!this.watched && this.touched) event.target.setAttribute('data-w-unsaved-force-value', 'true');
    this.watched = true;
  }

  show() {
    this.element.hidden = false;
  }
}

window.wagtail.app.register('sms-rows', RowsController);
window.wagtail.app.register('sms-order', OrderController);
window.wagtail.app.register('sms-week', WeekController);
window.wagtail.app.register('sms-draft', DraftController);
