"""READ FIRST. What every part relies on: the frames that pass between the stages, and the states of an upload."""
