"""How stores are connected to Shopify: the apps, and a page for each store that says how it stands."""
