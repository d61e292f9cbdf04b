"""Stores: what they are, their rules, how they are connected, and who works in them."""
