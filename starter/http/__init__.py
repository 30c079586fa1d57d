"""What every HTTP interface of the web process shares."""
