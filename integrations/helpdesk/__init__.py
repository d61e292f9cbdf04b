"""Help desks: what they say of support cases, so that nobody gets promotions while a case of theirs is open."""
