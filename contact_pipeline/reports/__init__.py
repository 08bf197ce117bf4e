"""Texts and files for people: templates, rejected rows, descriptions of profiles. Reads the store, never a stage."""
