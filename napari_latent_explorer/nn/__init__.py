"""Networks in torch; they know no cohort, no file and no screen."""
