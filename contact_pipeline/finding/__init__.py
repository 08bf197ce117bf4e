"""Finding people by what is known of them, written in any way, and telling whom one word of a command means."""
