"""SMSFlow: text message flows for Shopify stores, run from the Wagtail admin."""

__version__ = "0.1.0"
