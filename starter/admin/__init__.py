"""The admin API: what agents and other systems read and command."""
