"""What is measured, and how to measure it again: docs/benchmarks.md says what the figures mean."""
