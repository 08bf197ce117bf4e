"""Kinds of values: for each its canonical form, fast path, checks, repairs and words; a module, or a few, for each."""
