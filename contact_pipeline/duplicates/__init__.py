"""Contacts of the base that are one person: `find` lists them, `merge` plans to make one contact of each set.

A merge is a changeset like any other. The rules are those of `match`; nothing here decides by likeness alone.
"""
