"""Recordings and a table, as they lie in somebody's folders, to a study."""
