"""Recordings to networks and back."""
