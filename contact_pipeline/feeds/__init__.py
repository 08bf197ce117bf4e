"""Feeds: places from which files are fetched again and again, each described by a YAML file of the home."""
