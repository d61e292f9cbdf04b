"""Shopify's Admin API, in GraphQL only: ``AdminApi`` asks, ``documents`` hold the questions, ``tokens`` the keys.

Nothing else of the plugin speaks to Shopify.
"""
