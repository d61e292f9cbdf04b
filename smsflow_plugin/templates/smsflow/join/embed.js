// Sets up the form's frame where this script stands, and fits its height to what is in it.
(() => {
    const form = {{ values|safe }};
    const script = document.currentScript;
    const frame = document.createElement('iframe');
    frame.src = form.url;
    frame.title = form.title;
    frame.loading = 'lazy';
    frame.setAttribute('referrerpolicy', 'strict-origin-when-cross-origin');
    Object.assign(frame.style, { border: '0', width: '100%', height: '640px' });
    if (document.head.contains(script)) document.body.append(frame);
    else script.before(frame);
    window.addEventListener('message', (event) => {
        if (event.source !== frame.contentWindow || event.origin !== form.origin) return;
        const height = Number(event.data && event.data.smsflowHeight);
        if (height > 0 && height < 5000) frame.style.height = `${Math.ceil(height)}px`;
    });
})();
