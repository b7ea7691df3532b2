"""A call from its beginning to its record: the one place where the crafts meet."""
