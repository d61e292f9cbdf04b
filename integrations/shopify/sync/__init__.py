"""What no webhook has brought: missed events are compared with the shop, and history is imported.

``mapping`` turns what Shopify's Admin API says into the webhooks that would have said it, so that nothing is read in
two ways. ``comparing`` and ``importing`` are the pumps.
"""
