"""Local stand-ins that speak the real services' HTTP. Development and tests use them; production never does."""
