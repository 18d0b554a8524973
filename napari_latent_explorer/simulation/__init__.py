"""One beating heart with known factors, in numpy."""
