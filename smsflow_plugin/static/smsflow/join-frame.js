// Tells the page around the frame how high the form is. It works without, with a scrollbar.
(() => {
    const tell = () => window.parent.postMessage({ smsflowHeight: document.documentElement.scrollHeight }, '*');
    new ResizeObserver(tell).observe(document.body);
    tell();
})();
