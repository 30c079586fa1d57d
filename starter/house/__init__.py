"""The house of `make run`: the supervisor and the children it starts."""
