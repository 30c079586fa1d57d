"""What a case is: pure values and rules, no I/O and no engine."""
