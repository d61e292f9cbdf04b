"""The weekly report of a store, by e-mail to whoever asked for it."""
