"""A user's own repository: init lays it out, build compiles it."""
