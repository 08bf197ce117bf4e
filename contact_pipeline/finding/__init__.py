"""Finds people by what is known of them, in any spelling, and whom one word of a command means."""
