/* Leads back to the tab from which a form was sent: a browser carries the fragment of an address over to where it is led. */
document.addEventListener('submit', ({ target }) => {
  if (!target.matches('[data-edit-form], [data-smsflow-same-tab]')) return;
  const address = new URL(target.getAttribute('action') || '', window.location.href);
  address.hash = window.location.hash;
  target.setAttribute('action', address.href);
});
