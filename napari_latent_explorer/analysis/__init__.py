"""From latents to knowledge."""
