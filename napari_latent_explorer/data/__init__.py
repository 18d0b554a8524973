"""What things are: recordings, phenotypes, cohorts and latents as frozen values."""
