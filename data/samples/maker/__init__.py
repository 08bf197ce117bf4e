"""How the sample files are made: `people` and `files` for all of them, then one module for each source system."""
