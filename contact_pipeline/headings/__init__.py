"""Headings: what they mean whoever wrote them, which field each column fills, and how columns are named for people."""
